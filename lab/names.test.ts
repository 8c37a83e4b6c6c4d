import { expect, it } from "vitest";
import { labNameRule } from "../components/rules/names.ts";
import { belongsToLab, machineNamespace } from "./names.ts";

it("belongsToLab() distinguishes labs with similar names, because a lab's name has no '-'", () => {
  expect(belongsToLab("local", machineNamespace("local", "node-2"))).toBe(true);
  expect(belongsToLab("local", machineNamespace("local2", "node"))).toBe(false);
  expect(labNameRule("local-2")).toBeDefined();
});
