import type { Answer } from "./control.ts";

/** The state of a session, as BIRD reports it. */
export interface SessionState {
  readonly established: boolean;
  /** "Active", "OpenSent", "Established" */
  readonly state: string;
  /** Why it is down, as far as BIRD knows: "Socket: Connection refused". */
  readonly reason: string | undefined;
}

/** The sessions of `show protocols`, by BIRD's names. */
export function sessionStates({ lines }: Answer): ReadonlyMap<string, SessionState> {
  return new Map(
    lines.flatMap((line) => {
      const [, name, state = "Down", reason = ""] =
        /^(\S+)\s+BGP\s+\S+\s+\S+\s+\S+(?:\s+(\S+))?(?:\s+(.*\S))?\s*$/.exec(line) ?? [];
      if (name === undefined) return [];
      return [[name, { established: state === "Established", state, reason: reason || undefined }] as const];
    }),
  );
}
