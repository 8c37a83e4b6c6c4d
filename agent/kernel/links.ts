// BPF links, pinned: what is attached stays attached when the agent ends, and its program is replaced in one step.
import { closeSync, rmSync } from "node:fs";
import { describeError, EINVAL, ENOENT, libbpf } from "./libbpf.ts";
import { type LinkInfo, linkInfo, sameProgram } from "./object_info.ts";

export interface LinkTarget {
  /** For people: "eth0 ingress", "cgroup /sys/fs/cgroup". */
  readonly name: string;
  /** Interface index, or a file descriptor of the cgroup folder. */
  readonly id: number;
  /** enum bpf_attach_type. */
  readonly attachType: number;
  /** Whether a link found at the pin is attached to this very target: names come back with another interface. */
  isTargetOf(link: LinkInfo): boolean;
}

export type LinkResult = "created" | "replaced" | "unchanged" | "unsupported";

/** Makes sure that `programFd` is attached to the target by a link pinned at `pin`. "unsupported": the kernel has no
 * links of this kind. */
export function ensureLink(pin: string, programFd: number, target: LinkTarget): LinkResult {
  const pinned = libbpf().getPinned(pin);
  if (pinned < 0 && pinned !== -ENOENT) throw failed("open the link of", target, pinned);
  if (pinned >= 0) {
    try {
      const info = linkInfo(pinned);
      if (target.isTargetOf(info)) return replaceProgram(pinned, info, programFd, target);
    } finally {
      closeSync(pinned);
    }
    removeLink(pin);
  }
  return createLink(pin, programFd, target);
}

/** Detaches the link pinned there, at once: by removing the pin alone, the kernel would do it some time later. */
export function removeLink(pin: string): void {
  const link = libbpf().getPinned(pin);
  if (link >= 0) {
    libbpf().linkDetach(link); // fails for a device that is gone, which is as good
    closeSync(link);
  }
  rmSync(pin, { force: true });
}

function createLink(pin: string, programFd: number, target: LinkTarget): LinkResult {
  const link = libbpf().linkCreate(programFd, target.id, target.attachType, null);
  if (link === -EINVAL) return "unsupported";
  if (link < 0) throw failed("attach to", target, link);
  try {
    const result = libbpf().pin(link, pin);
    if (result < 0) throw failed(`pin at ${pin} the link of`, target, result);
  } finally {
    closeSync(link);
  }
  return "created";
}

function replaceProgram(link: number, info: LinkInfo, programFd: number, target: LinkTarget): LinkResult {
  if (sameProgram(info.programId, programFd)) return "unchanged";
  const result = libbpf().linkUpdate(link, programFd, null);
  if (result < 0) throw failed("replace the program at", target, result);
  return "replaced";
}

function failed(verb: string, target: LinkTarget, code: number): Error {
  return new Error(`Cannot ${verb} ${target.name}: ${describeError(code)}.`);
}
