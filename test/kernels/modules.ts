// Which of a kernel's modules are loaded in which order, from what each says of itself (.modinfo).
import { readFileSync } from "node:fs";
import { basename } from "node:path";

/** "ip6_udp_tunnel" of "…/ip6_udp_tunnel.ko", "cls_bpf" of "cls-bpf.ko.xz": files and names differ in these two characters. */
export const moduleName = (path: string): string =>
  basename(path)
    .replace(/\.ko(\.xz)?$/, "")
    .replaceAll("-", "_");

/** The names of the modules that this one needs. */
export function needsOf(module: Buffer): string[] {
  const [, list = ""] = /\0depends=([^\0]*)\0/.exec(module.toString("latin1")) ?? [];
  return list.split(",").filter(Boolean);
}

/**
 * @param wanted names; @param paths of all modules of the kernel; @param builtIn names of what is part of the kernel itself
 * @returns paths of those that are wanted and of what they need, which comes before them
 * @throws Error with a name that the kernel does not have
 */
export function inLoadOrder(
  wanted: readonly string[],
  paths: readonly string[],
  builtIn: ReadonlySet<string>,
  read: (path: string) => Buffer = readFileSync,
): string[] {
  const known = new Map(paths.map((path) => [moduleName(path), path]));
  const ordered = new Set<string>();
  const add = (name: string): void => {
    const path = known.get(name.replaceAll("-", "_"));
    if (path === undefined) {
      if (builtIn.has(name.replaceAll("-", "_"))) return;
      throw new Error(`the kernel has no module ${name}`);
    }
    if (ordered.has(path)) return;
    for (const need of needsOf(read(path))) add(need);
    ordered.add(path);
  };
  for (const name of wanted) add(name);
  return [...ordered];
}
