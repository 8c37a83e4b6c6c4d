export * from "../../calico-selector/parse.ts";
