import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { hostHierarchies, machineCgroups } from "./cgroups.ts";

/** Files of a cgroup in each version: what is used, and the name of what the kernel gives back first. */
const VERSIONS = [
  { usage: "memory.usage_in_bytes", reclaimed: "total_inactive_file" },
  { usage: "memory.current", reclaimed: "inactive_file" },
];

/**
 * Bytes of memory that a machine's processes use, without files that the kernel can drop: what kubelet calls the working set.
 * @param namespace the machine's, which is also its cgroup's name
 * @returns undefined where no controller counts it
 */
export function workingSet(
  namespace: string,
  roots = machineCgroups(namespace, hostHierarchies()).roots,
): number | undefined {
  for (const root of roots) {
    const version = VERSIONS.find(({ usage }) => existsSync(join(root, usage)));
    if (version === undefined) continue;
    try {
      const used = Number(readFileSync(join(root, version.usage), "utf8"));
      const statistics = readFileSync(join(root, "memory.stat"), "utf8");
      const reclaimed = new RegExp(`^${version.reclaimed} (\\d+)$`, "m").exec(statistics)?.[1];
      return Math.max(0, used - Number(reclaimed ?? 0));
    } catch {
      return undefined; // the machine has ended
    }
  }
  return undefined;
}
