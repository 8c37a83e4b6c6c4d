import type { Entry, WrittenMap } from "../compile/desired.ts";
import type { KeyOf, ValueOf } from "../kernel/layout.gen.ts";
import type { DeltaMap } from "./delta-map.ts";

export type Deltas = { readonly [M in WrittenMap]: DeltaMap<KeyOf<M>, ValueOf<M>> };

/** One kind of write. The packet path reads while the agent writes, so the order keeps every moment consistent. */
export interface Step<M extends WrittenMap = WrittenMap> {
  readonly map: M;
  readonly verb: "update" | "delete";
  readonly why: string;
  /** Entries that must wait because an entry they depend on could not be written; they stay pending. */
  readonly waits?: (deltas: Deltas) => (entry: Entry<KeyOf<M>, ValueOf<M>>) => boolean;
  /** The value to write instead of the desired one until everything it refers to is written. */
  readonly meanwhile?: (deltas: Deltas) => (value: ValueOf<M>, actual: ValueOf<M> | undefined) => ValueOf<M>;
}

/** One of them. */
export function step<M extends WrittenMap>(
  verb: Step["verb"],
  map: M,
  why: string,
  waits?: Step<M>["waits"],
  meanwhile?: Step<M>["meanwhile"],
): Step {
  // Each step's functions see entries of its own map only: the reconciler takes both from the same field.
  return { map, verb, why, ...(waits && { waits }), ...(meanwhile && { meanwhile }) } as unknown as Step;
}
