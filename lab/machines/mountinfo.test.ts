import { describe, expect, it } from "vitest";
import { parseMountinfo } from "./mountinfo.ts";

describe("parseMountinfo()", () => {
  it("reads path, type and superblock options, with and without optional fields", () => {
    const text = [
      "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu",
      "40 31 0:37 / /sys/fs/cgroup/systemd rw,nosuid shared:9 master:2 - cgroup cgroup rw,xattr,name=systemd",
    ].join("\n");
    expect(parseMountinfo(text)).toEqual([
      { path: "/sys/fs/cgroup/cpu", type: "cgroup", source: "cgroup", options: ["rw", "cpu"] },
      { path: "/sys/fs/cgroup/systemd", type: "cgroup", source: "cgroup", options: ["rw", "xattr", "name=systemd"] },
    ]);
  });

  it("decodes the octal escapes of odd paths", () => {
    expect(parseMountinfo("1 2 0:1 / /a\\040b\\134c rw - tmpfs none rw\n")[0]?.path).toBe("/a b\\c");
  });
});
