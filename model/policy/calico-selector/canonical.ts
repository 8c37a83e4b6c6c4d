export * from "../../calico-selector/canonical.ts";
