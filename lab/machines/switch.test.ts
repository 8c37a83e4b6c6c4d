import { expect, test } from "vitest";
import { portName } from "./switch.ts";

test("every machine has a port of its own, whose name an interface may have", () => {
  const machines = [
    "master",
    "client1",
    "east-worker-node-1",
    "west-worker-node-1",
    "a".repeat(32),
    `b${"a".repeat(31)}`,
  ];
  const ports = machines.map(portName);
  expect(ports[0]).toBe("to-master");
  expect(new Set(ports).size).toBe(machines.length);
  for (const port of ports) expect(port).toMatch(/^to-[\w-]{1,12}$/);
});
