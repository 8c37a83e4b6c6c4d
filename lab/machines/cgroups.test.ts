import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { hasStrangers, hierarchiesOf, machineCgroups, processesIn } from "./cgroups.ts";
import { parseMountinfo } from "./mountinfo.ts";

const hybrid = parseMountinfo(`
31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
33 31 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/lib/agent,name=systemd
34 31 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate
35 31 0:29 / /mnt/again rw - cgroup cgroup rw,cpu,cpuacct
`);

describe("hierarchiesOf()", () => {
  it("keeps only the v1 mount options that identify the hierarchy, and each hierarchy once", () => {
    expect(hierarchiesOf(hybrid)).toEqual([
      { type: "cgroup", path: "/sys/fs/cgroup/cpu,cpuacct", mountOptions: "cpu,cpuacct" },
      { type: "cgroup", path: "/sys/fs/cgroup/systemd", mountOptions: "none,name=systemd" },
      { type: "cgroup2", path: "/sys/fs/cgroup/unified", mountOptions: "rw" },
    ]);
  });
});

describe("machineCgroups()", () => {
  it("places a machine's own processes in a leaf of cgroup2, and at the top in v1", () => {
    const cgroups = machineCgroups("lab-node", hierarchiesOf(hybrid).slice(1));
    expect(cgroups.roots).toEqual(["/sys/fs/cgroup/systemd/lab-node", "/sys/fs/cgroup/unified/lab-node"]);
    expect(cgroups.homes).toEqual(["/sys/fs/cgroup/systemd/lab-node", "/sys/fs/cgroup/unified/lab-node/init"]);
    expect(cgroups.leaf).toBe("/sys/fs/cgroup/unified/lab-node/init");
  });

  it("has no leaf on a host without cgroup2", () => {
    expect(machineCgroups("lab-node", hierarchiesOf(hybrid).slice(0, 1)).leaf).toBeUndefined();
  });
});

it("processesIn() has none of a cgroup that its runtime removes while they are listed", () => {
  const folder = mkdtempSync(join(tmpdir(), "cgroup-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "pod")); // as after the removal: there is no cgroup.procs in it
  writeFileSync(join(folder, "cgroup.procs"), "12\n34\n");
  expect(processesIn(folder)).toEqual([12, 34]);
  expect(processesIn(join(folder, "gone"))).toEqual([]);
});

it("hasStrangers() of a cgroup at any depth with a process that this PID namespace does not show", () => {
  const folder = mkdtempSync(join(tmpdir(), "cgroup-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "init"));
  writeFileSync(join(folder, "cgroup.procs"), "");
  writeFileSync(join(folder, "init", "cgroup.procs"), "12\n");
  expect(hasStrangers(folder)).toBe(false);
  writeFileSync(join(folder, "init", "cgroup.procs"), "12\n0\n");
  expect(hasStrangers(folder)).toBe(true);
  expect(processesIn(folder)).toEqual([12]);
  expect(hasStrangers(join(folder, "gone"))).toBe(false);
});
