import type { Answer } from "./control.ts";

/** The state of a session, as BIRD reports it. */
export interface SessionState {
  readonly established: boolean;
  /** "Active", "OpenSent", "Established" */
  readonly state: string;
  /** The time of day of the last change, or its date if that is long ago. */
  readonly since: string;
  /** Why it is down, as far as BIRD knows: "Socket: Connection refused". */
  readonly reason: string | undefined;
}

/** The sessions of `show protocols`, by BIRD's names. */
export function sessionStates({ lines }: Answer): ReadonlyMap<string, SessionState> {
  return new Map(
    lines.flatMap((line) => {
      const [, name, since = "", state = "Down", reason = ""] =
        /^(\S+)\s+BGP\s+\S+\s+\S+\s+(\S+)(?:\s+(\S+))?(?:\s+(.*\S))?\s*$/.exec(line) ?? [];
      if (name === undefined) return [];
      return [[name, { established: state === "Established", state, since, reason: reason || undefined }] as const];
    }),
  );
}

/** Whether a session that was established has ended since, also if it is established again. */
export function hasEnded(before: SessionState, now: SessionState): boolean {
  if (!before.established) return false;
  // Of a session that goes on, the time becomes a date after a day.
  return !now.established || (now.since !== before.since && now.since.includes(":"));
}
