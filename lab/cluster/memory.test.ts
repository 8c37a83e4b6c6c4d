import { expect, test } from "vitest";
import { availableMemory, requireMemory } from "./memory.ts";

const machine = (name: string, role: "control-plane" | "worker" | "client") => ({ name, role, address: "172.31.1.8" });
const lab = [machine("master", "control-plane"), machine("node", "worker"), machine("client1", "client")];
const workers = Array.from({ length: 9 }, (_, index) => machine(`node${index}`, "worker"));

test("available memory is what the kernel says, and enough where it says nothing", () => {
  expect(availableMemory("MemTotal:       100 kB\nMemFree:  1 kB\nMemAvailable:      64 kB\n")).toBe(65536);
  expect(availableMemory("MemTotal:       100 kB\n")).toBe(Number.POSITIVE_INFINITY);
});

test("machines that the computer has no memory for are refused with both figures, before they start", () => {
  expect(() => requireMemory("local", lab, 2 ** 31)).not.toThrow();
  expect(() => requireMemory("local", [], 0)).not.toThrow();
  expect(() => requireMemory("local", [...lab, ...workers], 2 ** 31)).toThrow(
    /^lab local needs at least \d{4} MiB of memory for master, node, client1, node0, .*, and this computer has 2048 MiB left$/,
  );
});
