import { expect, test } from "vitest";
import { requireCgroup2, requireKernel, requireRights } from "./host.ts";

test.each(["6.1.0-40-arm64", "6.10.14-linuxkit", "6.18.44", "7.0.1"])("Linux %s with BTF is enough", (release) => {
  expect(() => requireKernel(release, true)).not.toThrow();
});

test.each(["5.15.0-1-amd64", "6.0.19", "4.19"])("Linux %s is refused", (release) => {
  expect(() => requireKernel(release, true)).toThrow(`a lab needs Linux 6.1 or later; this kernel is ${release}`);
});

test("a kernel without BTF is refused, with the file that is missing", () => {
  expect(() => requireKernel("6.6.87-microsoft", false)).toThrow(
    "/sys/kernel/btf/vmlinux of 6.6.87-microsoft is missing",
  );
});

test("a host without cgroup2 is refused, with the command that mounts it", () => {
  const [v1, v2] = [
    { type: "cgroup", path: "/sys/fs/cgroup/cpu" },
    { type: "cgroup2", path: "/sys/fs/cgroup/unified" },
  ] as const;
  expect(() => requireCgroup2([v1, v2])).not.toThrow();
  expect(() => requireCgroup2([v2])).not.toThrow();
  expect(() => requireCgroup2([v1])).toThrow(
    expect.objectContaining({
      message: expect.stringContaining("cgroup v1 alone is mounted here"),
      next: expect.stringContaining("mount -t cgroup2 none"),
    }),
  );
  expect(() => requireCgroup2([])).toThrow("no cgroups are mounted here");
});

const status = (rights: string) =>
  `Name:\tnode\nCapInh:\t0000000000000000\nCapEff:\t${rights}\nCapBnd:\t000001ffffffffff\n`;

test("root of a machine and of a privileged container may make a lab", () => {
  expect(() => requireRights(status("000001ffffffffff"))).not.toThrow();
});

test("root of an ordinary container is told what it lacks, and how to get it", () => {
  // What Docker leaves by default.
  expect(() => requireRights(status("00000000a80425fb"))).toThrow(
    expect.objectContaining({
      message: "a lab needs all rights of root; here root lacks CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_BPF",
      next: expect.stringContaining("--privileged"),
    }),
  );
});
