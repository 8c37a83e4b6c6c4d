import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { OutgoingPorts } from "./outgoing-ports.ts";

const sysctlRoot = mkdtempSync(join(tmpdir(), "outgoing-ports-"));
mkdirSync(join(sysctlRoot, "net/ipv4"), { recursive: true });
afterAll(() => rmSync(sysctlRoot, { recursive: true }));

const set = (range: string, reserved: string) => {
  writeFileSync(join(sysctlRoot, "net/ipv4/ip_local_port_range"), `${range}\n`);
  writeFileSync(join(sysctlRoot, "net/ipv4/ip_local_reserved_ports"), `${reserved}\n`);
};

test.each([
  ["32768\t60999", "", undefined],
  ["1024\t65535", "", "5120 to 29695"],
  ["20000\t60999", "", "20000 to 29695"],
  ["1024\t5119", "", undefined],
  ["1024\t65535", "8080,5120-29695", undefined],
  ["1024\t65535", "5000-9999,10000-30000", undefined],
  ["1024\t65535", "5120-10000,10002-29695", "5120 to 29695"],
  ["1024\t65535", "6000", "5120 to 29695"],
])("the kernel's ports %s without %j: shared are %s", (range, reserved, shared) => {
  set(range, reserved);
  const [problem, ...more] = new OutgoingPorts({ node: "master", sysctlRoot, exhausted: () => 0n }).problems();
  expect(more).toEqual([]);
  if (shared === undefined) expect(problem).toBeUndefined();
  else
    expect(problem).toMatchObject({
      kind: "Node",
      name: "master",
      message: expect.stringContaining(`from ${shared},`),
    });
});

test("without the sysctls there is nothing to say", () => {
  expect(new OutgoingPorts({ node: "master", sysctlRoot: "/nowhere", exhausted: () => 0n }).problems()).toEqual([]);
});

test("a refusal is reported, once for all that follow, and not what an earlier agent has counted", () => {
  set("32768\t60999", "");
  let [exhausted, now] = [7n, 0];
  const ports = new OutgoingPorts({ node: "master", sysctlRoot, exhausted: () => exhausted, now: () => now });
  const reported = () => ports.problems().map(({ message }) => message);
  expect(reported()).toEqual([]);
  exhausted = 8n;
  const [first] = reported();
  expect(first).toContain("drop_ports_exhausted");
  exhausted = 9n;
  now = 300_000;
  expect(reported()).toEqual([first]);
  now = 899_999;
  expect(reported()).toEqual([first]);
  now = 900_000;
  expect(reported()).toEqual([]);
});
