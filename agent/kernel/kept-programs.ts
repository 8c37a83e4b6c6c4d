// Programs stay in the kernel for the agent's next start, pinned under a key of all that they consist of: their object files and the maps
// that they use. While both are unchanged, the verifier need not check them again. Otherwise they are loaded as at a first start.
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describeError, libbpf } from "./libbpf.ts";
import { pinnedMapInfo } from "./object-info.ts";
import type { Pins } from "./pins.ts";
import { objectNames, type ProgramName, programNames } from "./programs.ts";

/** File descriptors of the kept programs; undefined: there are none, or their objects or maps are others. */
export function keptPrograms(objects: string, pins: Pins): Map<ProgramName, number> | undefined {
  const folder = join(pins.programs, keyOf(objects, pins));
  if (!existsSync(folder)) return undefined;
  const fds = new Map(programNames.map((name) => [name, libbpf().getPinned(join(folder, name))]));
  if ([...fds.values()].every((fd) => fd >= 0)) return fds;
  for (const fd of fds.values()) if (fd >= 0) closeSync(fd); // an agent ended while it pinned them
  return undefined;
}

/** Pins these programs in place of those that were kept before. */
export function keepPrograms(objects: string, pins: Pins, programFd: (name: ProgramName) => number): void {
  rmSync(pins.programs, { recursive: true, force: true });
  const folder = join(pins.programs, keyOf(objects, pins));
  mkdirSync(folder, { recursive: true });
  for (const name of programNames) {
    const result = libbpf().pin(programFd(name), join(folder, name));
    if (result < 0) throw new Error(`Cannot pin the program ${name} under ${folder}: ${describeError(result)}.`);
  }
}

/** A map's number is never given to another while a program uses the map. */
function keyOf(objects: string, pins: Pins): string {
  const hash = createHash("sha256");
  for (const name of objectNames) hash.update(`${name}\0`).update(readFileSync(join(objects, `${name}.bpf.o`)));
  for (const name of readdirSync(pins.maps).sort())
    hash.update(`${name} ${pinnedMapInfo(join(pins.maps, name))?.id}\0`);
  return hash.digest("hex");
}
