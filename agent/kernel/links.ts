// Pinned BPF links: programs stay attached when the agent ends, and are replaced atomically.
import { closeSync, rmSync } from "node:fs";
import { describeError, EINVAL, ENOENT, libbpf } from "./libbpf.ts";
import { type LinkInfo, linkInfo, sameProgram } from "./object-info.ts";

export interface LinkTarget {
  /** For messages: "eth0 ingress", "cgroup /sys/fs/cgroup". */
  readonly name: string;
  /** Interface index, or a file descriptor of the cgroup folder. */
  readonly id: number;
  /** enum bpf_attach_type. */
  readonly attachType: number;
  /** Of bpf_link_create: BPF_F_BEFORE, XDP_FLAGS_DRV_MODE. */
  readonly flags?: number;
  /** Whether the link found at the pin is attached to this target: a name may now belong to another interface. */
  isTargetOf(link: LinkInfo): boolean;
}

export type LinkResult = "created" | "pinned again" | "replaced" | "unchanged" | "unsupported";

// Links that this process has opened, by their pins. A link lives while a descriptor is open: removing a pin detaches nothing
// while the agent runs, and the agent restores the pin at its next check.
const held = new Map<string, number>();

/** A link that is to have this program. */
export interface LinkedProgram {
  readonly pin: string;
  readonly programFd: number;
  readonly target: LinkTarget;
}

/** Replaces the programs of existing links, with no other work between them: until the last one is replaced, packets meet programs of
 * two versions, and the state of these may be in different maps. `ensureLink` handles those that fail. @returns those that were
 * replaced */
export function replaceTogether<Linked extends LinkedProgram>(all: readonly Linked[]): Linked[] {
  const others = all.flatMap((linked) => {
    const { link } = openLink(linked.pin, linked.target);
    if (link === undefined) return [];
    const info = linkInfo(link);
    return linked.target.isTargetOf(info) && !sameProgram(info.programId, linked.programFd) ? [{ linked, link }] : [];
  });
  const results = others.map(({ linked, link }) => libbpf().linkUpdate(link, linked.programFd, null));
  return others.filter((_, index) => results[index] === 0).map(({ linked }) => linked);
}

/** Makes sure that `programFd` is attached to the target by a link pinned at `pin`. "unsupported": the kernel has no
 * links of this kind. */
export function ensureLink(pin: string, programFd: number, target: LinkTarget): LinkResult {
  return keepLink(pin, programFd, target) ?? createLink(pin, programFd, target);
}

/** The same for an existing link. undefined: the target has none. */
export function keepLink(
  pin: string,
  programFd: number,
  target: LinkTarget,
): Exclude<LinkResult, "created" | "unsupported"> | undefined {
  const { link, isPinned } = openLink(pin, target);
  if (link === undefined) return undefined;
  const info = linkInfo(link);
  if (target.isTargetOf(info)) {
    if (!isPinned) pinAt(pin, link, target);
    const result = replaceProgram(link, info, programFd, target);
    return !isPinned && result === "unchanged" ? "pinned again" : result;
  }
  removeLink(pin);
  return undefined;
}

/** The link at that pin, held open from now on; undefined: there is none. */
function openLink(pin: string, target: LinkTarget): { link: number | undefined; isPinned: boolean } {
  const pinned = libbpf().getPinned(pin);
  if (pinned < 0 && pinned !== -ENOENT) throw failed("open the link of", target, pinned);
  const link = pinned >= 0 ? pinned : held.get(pin);
  if (link !== undefined) holdOpen(pin, link);
  return { link, isPinned: pinned >= 0 };
}

/** Detaches the link pinned there at once. If only the pin were removed, the kernel would detach it some time later. */
export function removeLink(pin: string): void {
  const pinned = libbpf().getPinned(pin);
  for (const link of new Set([pinned, held.get(pin) ?? -1])) {
    if (link < 0) continue;
    libbpf().linkDetach(link); // fails when the device is gone, which is fine
    closeSync(link);
  }
  held.delete(pin);
  rmSync(pin, { force: true });
}

/** Keeps a link open; closes the one previously held for the pin. */
function holdOpen(pin: string, link: number): void {
  const before = held.get(pin);
  if (before !== undefined && before !== link) closeSync(before);
  held.set(pin, link);
}

function pinAt(pin: string, link: number, target: LinkTarget): void {
  const result = libbpf().pin(link, pin);
  if (result < 0) throw failed(`pin at ${pin} the link of`, target, result);
}

function createLink(pin: string, programFd: number, target: LinkTarget): LinkResult {
  const link = libbpf().linkCreate(
    programFd,
    target.id,
    target.attachType,
    target.flags ? flagged(target.flags) : null,
  );
  if (link === -EINVAL) return "unsupported";
  if (link < 0) throw failed("attach to", target, link);
  holdOpen(pin, link);
  pinAt(pin, link, target);
  return "created";
}

// struct bpf_link_create_opts {size_t sz; u32 flags; …}, in its first size, which every libbpf accepts.
function flagged(flags: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(16));
  view.setBigUint64(0, 16n, true);
  view.setUint32(8, flags, true);
  return new Uint8Array(view.buffer);
}

function replaceProgram(link: number, info: LinkInfo, programFd: number, target: LinkTarget): "unchanged" | "replaced" {
  if (sameProgram(info.programId, programFd)) return "unchanged";
  const result = libbpf().linkUpdate(link, programFd, null);
  if (result < 0) throw failed("replace the program at", target, result);
  return "replaced";
}

function failed(verb: string, target: LinkTarget, code: number): Error {
  return new Error(`Cannot ${verb} ${target.name}: ${describeError(code)}.`);
}
