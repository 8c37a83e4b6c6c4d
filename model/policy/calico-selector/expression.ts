export * from "../../calico-selector/expression.ts";
