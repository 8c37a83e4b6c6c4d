export * from "../../calico-selector/tokens.ts";
