import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { argumentsOf, at } from "../refusal/refusal.ts";
import { requireSize, userData } from "./user-data.ts";

const settings = { ROLE: "worker", NODE_NAME: "it's", NODE_ADDRESS: "172.31.1.207", PARAMETERS: "/ebpf-dataplane/c" };

test("is a shell script by cloud-init's rule, and bash can read it", () => {
  const text = userData(settings);
  expect(text.startsWith("#!/bin/bash\n")).toBe(true);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is the point
  expect(text).not.toMatch(/[^\x09\x0a\x20-\x7e]/);
  execFileSync("bash", ["-n"], { input: text });
});

test("settings reach the script as they are", () => {
  const [head = ""] = userData(settings).split("metadata() {");
  expect(execFileSync("bash", { input: `${head}\nprintf %s "$NODE_NAME"`, encoding: "utf8" })).toBe("it's");
});

test("what EC2 would refuse is refused here", () => {
  const place = at(argumentsOf("AwsCluster", "c"), "machines");
  const text = userData(settings);
  expect(requireSize(place, {}, text)).toBe(text);
  expect(() => requireSize(place, {}, userData({ ...settings, NOTE: "x".repeat(16384) }))).toThrow("EC2 takes 16384");
});
