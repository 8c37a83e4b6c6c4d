import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

/** Kernel settings by their path below /proc/sys. README.md in this folder explains each. */
export type Sysctls = ReadonlyMap<string, string>;

/** The node's own. */
export function nodeSysctls(): Sysctls {
  return new Map([["net/ipv4/ip_forward", "1"]]);
}

/** Settings of an uplink, the tunnel device or a pod's interface. 2 is the loose mode of RFC 3704: the kernel uses
 * the larger of this value and `all`, so 0 would not be enough if the distribution sets `all` to 1. */
export function deviceSysctls(device: string): Sysctls {
  return new Map([
    [`net/ipv4/conf/${device}/rp_filter`, "2"],
    [`net/ipv4/conf/${device}/forwarding`, "1"],
  ]);
}

/** Sets the settings that differ. The first value that was found is saved in `memory` for restoreSysctls(). */
export function applySysctls(wanted: Sysctls, memory: string, root: string): string[] {
  const before = recall(memory);
  const changed: string[] = [];
  for (const [name, value] of wanted) {
    const path = `${root}/${name}`;
    const present = readFileSync(path, "utf8").trim();
    if (present === value) continue;
    before[name] ??= present;
    remember(memory, before);
    write(path, value);
    changed.push(name);
  }
  return changed;
}

/** Restores the values that applySysctls() found, for interfaces that still exist. */
export function restoreSysctls(memory: string, root: string): void {
  for (const [name, value] of Object.entries(recall(memory))) {
    if (existsSync(`${root}/${name}`)) write(`${root}/${name}`, value);
  }
  rmSync(memory, { force: true });
}

function write(path: string, value: string): void {
  try {
    writeFileSync(path, value);
  } catch (error) {
    throw new Error(
      `Cannot set ${path} to ${value}: ${error instanceof Error ? error.message : error}. Next: is the node's /proc/sys writable there (--sysctl-root)?`,
    );
  }
}

function recall(memory: string): Record<string, string> {
  return existsSync(memory) ? JSON.parse(readFileSync(memory, "utf8")) : {};
}

function remember(memory: string, values: Record<string, string>): void {
  writeFileSync(`${memory}.new`, JSON.stringify(values, null, 2));
  renameSync(`${memory}.new`, memory);
}
