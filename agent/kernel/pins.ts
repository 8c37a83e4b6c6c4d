// Paths of the pins under the pin root (a folder on a bpffs, default /sys/fs/bpf/ebpf-dataplane):
//   <layoutHash>/maps/<map>     the maps of one layout: only programs and agents of that layout touch them
//   <layoutHash>/aside/<id>-<map>  maps of another size, until the programs no longer use them (resize.ts)
//   <layoutHash>/programs/<key>/<program>  for the agent's next start (kept-programs.ts)
//   links/<target>-<program>    attached programs; they outlive the agent and a change of layout
import { mkdirSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { privateFolder } from "../run-folder/private-files.ts";
import { layoutHash } from "./layout.gen.ts";
import { describeError, libbpf } from "./libbpf.ts";

const BPF_FS_MAGIC = 0xcafe4a11; // linux/magic.h

export interface Pins {
  readonly root: string;
  readonly maps: string;
  readonly aside: string;
  readonly programs: string;
  readonly links: string;
}

export function pinsUnder(root: string): Pins {
  const own = join(root, layoutHash);
  return {
    root,
    maps: join(own, "maps"),
    aside: join(own, "aside"),
    programs: join(own, "programs"),
    links: join(root, "links"),
  };
}

/** Creates the folders. A folder outside a bpffs is refused here, because libbpf's own error is hard to understand. */
export function preparePins(pins: Pins): void {
  privateFolder(pins.root);
  requireBpffs(pins.root, statfsSync(pins.root).type);
  mkdirSync(pins.maps, { recursive: true });
  mkdirSync(pins.links, { recursive: true });
}

/** @param type of the file system that the folder is on (statfs(2)) */
export function requireBpffs(folder: string, type: number): void {
  if (type === BPF_FS_MAGIC) return;
  throw new Error(
    `Cannot pin BPF maps under ${folder}: it is not on a BPF file system. Next: mount -t bpf bpf /sys/fs/bpf (systemd does so at boot), ` +
      "and mount that path into the agent's container.",
  );
}

/** Removes the maps of other layouts. Call it once every link runs a program of this layout. */
export function removeOtherLayouts(pins: Pins): string[] {
  const others = otherLayouts(pins);
  for (const name of others) rmSync(join(pins.root, name), { recursive: true });
  return others;
}

/** Names of the layouts that other versions left. */
export function otherLayouts({ root }: Pins): string[] {
  return readdirSync(root).filter((name) => name !== layoutHash && name !== "links");
}

/** A file descriptor of a pinned map. */
export function openMap(pins: Pins, name: string): number {
  const fd = libbpf().getPinned(join(pins.maps, name));
  if (fd >= 0) return fd;
  throw new Error(
    `Cannot open the map ${name} under ${pins.maps}: ${describeError(fd)}. Next: does an agent of this version run on this node, and is this its pin root? In a checkout, make bpf builds the programs of this version.`,
  );
}
