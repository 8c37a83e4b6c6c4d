import { expect, test } from "vitest";
import { availableSpace, requireSpace } from "./disk-space.ts";

const machine = (name: string, role: "control-plane" | "worker" | "client") => ({ name, role, address: "172.31.1.8" });
const lab = [machine("master", "control-plane"), machine("node", "worker"), machine("client1", "client")];

test("space is that of the nearest folder that there is", () => {
  expect(availableSpace("/no/such/folder")).toBeGreaterThan(0);
  expect(availableSpace("/proc")).toBe(0);
});

test("machines that the disk has no room for are refused with both figures, before anything is made", () => {
  expect(() => requireSpace("nolab", lab, 2 ** 31)).not.toThrow();
  expect(() => requireSpace("nolab", [], 0)).not.toThrow();
  expect(() => requireSpace("nolab", lab, 2 ** 30)).toThrow(
    /^lab nolab needs at least 1355 MiB of disk for master, node, client1, and \/var\/lib\/ebpf-dataplane\/labs has 1024 MiB left$/,
  );
});
