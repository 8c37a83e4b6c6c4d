import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { recordResources } from "../components/testing/program.ts";
import { Settings } from "./settings.ts";

test.each<[string, string | undefined]>([
  ["ebpf-dataplane:returnMode", undefined],
  ["ebpf-dataplane:program", undefined],
  ["aws:region", undefined],
  ["ebpf-dataplane:returnMod", 'unknown setting "ebpf-dataplane:returnMod"; did you mean "ebpf-dataplane:returnMode"?'],
  [
    "epbf-dataplane:returnMode",
    'unknown setting "epbf-dataplane:returnMode"; did you mean "ebpf-dataplane:returnMode"?',
  ],
  ["ebpf-dataplane:colour", 'unknown setting "ebpf-dataplane:colour" (allowed: program, returnMode).'],
])("a stack that reads returnMode, given %s: %s", async (key, message) => {
  await recordResources();
  pulumi.runtime.setAllConfig({ [key]: "tunnel" });
  const read = () => new Settings(["returnMode"]).get("returnMode");
  if (message) expect(read).toThrow(message);
  else expect(read()).toBe(key.endsWith("returnMode") ? "tunnel" : undefined);
});

test.each([
  ["3", 3],
  [" 3 ", 3],
  ["0", undefined],
  ["-1", undefined],
  ["1.5", undefined],
  ["1e1", undefined],
  ["two", undefined],
  ["17", undefined],
  ["", undefined],
])("a count of at most 16 set to %j is %j, or refused with what is allowed", async (text, count) => {
  await recordResources();
  pulumi.runtime.setAllConfig({ "ebpf-dataplane:nodes": text });
  const read = () => new Settings(["nodes"]).getCount("nodes", 16);
  if (count !== undefined) expect(read()).toBe(count);
  else expect(read).toThrow(`ebpf-dataplane:nodes is "${text}", but must be a whole number from 1 to 16.`);
});
