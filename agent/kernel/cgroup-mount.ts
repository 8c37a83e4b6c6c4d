import { readFileSync } from "node:fs";

/** The folder where this process sees the node's cgroup2 hierarchy: the first cgroup2 mount at or below
 * `below` (cgroup v1 hosts have it at /sys/fs/cgroup/unified). Format of `mountinfo`: proc_pid_mountinfo(5). */
export function cgroupMount(below: string, mountinfo = readFileSync("/proc/self/mountinfo", "utf8")): string {
  const mounts = mountinfo.split("\n").flatMap((line) => {
    const [mount = "", filesystem = ""] = line.split(" - ");
    return filesystem.startsWith("cgroup2 ") ? [mount.split(" ")[4] as string] : [];
  });
  const found = mounts.find((path) => path === below || path.startsWith(`${below}/`));
  if (found) return found;
  throw new Error(
    `Found no cgroup2 mount at or below ${below} (mounted: ${mounts.join(", ") || "none"}). Next: mount one (mount -t cgroup2 none ${below}), ` +
      "or set cgroupRoot to where it is.",
  );
}
