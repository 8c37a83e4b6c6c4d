// The parts of the programs' results that the walk-through reads.

export interface Comparison {
  modes: (Seen & { mode: string; connections: number; overIpv6?: Seen })[];
  expected: { pass: boolean }[];
  topology: { paths: Path[] };
}

interface Seen {
  served: Record<string, boolean>;
  loggedSources: string[];
  replyPath?: string;
}

export interface Preflight {
  findings: { severity: string; check: string; nodes: string[]; found: string }[];
}

export interface Path {
  mode: string;
  legs: { from: string; to: string }[];
}

/** The hooks that a connection passed, in both directions. */
export const wayOf = ({ legs }: Path): string[] =>
  [legs[0]?.from ?? "", ...legs.map(({ to }) => to)].map((place) => place.replace(/^default\/(nginx).*/, "$1"));

export interface Row {
  /** Name of the check, and the step where it has several. */
  step?: string;
  from: string;
  to: string;
  observed: string;
}
