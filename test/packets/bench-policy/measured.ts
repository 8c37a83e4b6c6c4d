// What path.ts and changes.ts measure. Those are programs: whoever imports them runs them.

export type Side = "floor" | "ebpf" | "nftables";
/** A connection that the last policy allows, and one that none does. */
export const flows = ["allowed", "refused"] as const;
export type Flow = (typeof flows)[number];

/** New connections of one batch, fewer where they are slow. */
export const SENT = 1000;

/** What one batch of new connections showed. */
export interface Batch {
  /** Nanoseconds for a packet, from the sender's call until it is at the pod, or dropped. */
  readonly onTheWire: number;
  /** Of the program alone: ebpf. */
  readonly program?: number;
  readonly sent: number;
  /** Packets at the pod's interface. */
  readonly arrived: number;
}

/** Milliseconds of one change. */
export interface ChangeTime {
  readonly wall: number;
  readonly cpu: number;
}

export interface Changes {
  /** Compiled and in the maps. */
  readonly ebpf: readonly ChangeTime[];
  /** Entries that the last one wrote. */
  readonly written: number;
  readonly identities: number;
  /** `nft -f` of what changed. */
  readonly nftables: readonly ChangeTime[];
  /** MB: of the process with the cluster's objects, and of the maps. */
  readonly resident: number;
  readonly maps: number;
  readonly entries: { readonly policies: number; readonly locations: number };
}
