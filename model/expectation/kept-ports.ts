import type { Destination } from "./destination.ts";

/** An expectation as far as it holds a local port. */
export interface PortUse {
  /** As written. */
  from: string;
  to: Destination;
  sourcePort?: number;
  keep?: boolean;
}

/** An expectation that needs a port which a kept socket holds, and the expectation that keeps that socket: step and place in it, from 0. */
export interface HeldPort {
  step: number;
  index: number;
  by: { step: number; index: number };
}

/** Every expectation that binds a port again, after or beside an expectation that keeps it open. */
export function heldPorts(steps: PortUse[][]): HeldPort[] {
  const holders = new Map<string, HeldPort["by"]>();
  const found: HeldPort[] = [];
  for (const [step, uses] of steps.entries()) {
    for (const [index, use] of uses.entries())
      if (use.keep && !holders.has(keyOf(use))) holders.set(keyOf(use), { step, index });
    for (const [index, use] of uses.entries()) {
      const by = holders.get(keyOf(use));
      if (by && use.sourcePort !== undefined && !use.keep) found.push({ step, index, by });
    }
  }
  return found;
}

const keyOf = ({ from, to, sourcePort }: PortUse): string => `${from} ${to.protocol} ${sourcePort}`;
