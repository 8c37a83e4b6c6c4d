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
  /** Routes that are followed. */
  readonly imported: number;
  /** Whether others are ignored, because there were too many. */
  readonly isLimited: boolean;
}

/** The sessions of `show protocols all`, by BIRD's names. */
export function sessionStates({ lines }: Answer): ReadonlyMap<string, SessionState> {
  const states = new Map<string, SessionState>();
  let name: string | undefined;
  const add = (more: Partial<SessionState>) => {
    const known = name === undefined ? undefined : states.get(name);
    if (name !== undefined && known) states.set(name, { ...known, ...more });
  };
  for (const line of lines) {
    if (/^\S/.test(line)) {
      const [, session, since = "", state = "Down", reason = ""] =
        /^(\S+)\s+BGP\s+\S+\s+\S+\s+(\S+)(?:\s+(\S+))?(?:\s+(.*\S))?\s*$/.exec(line) ?? [];
      name = session;
      const begun = { established: state === "Established", state, since, reason: reason || undefined };
      if (session !== undefined) states.set(session, { ...begun, imported: 0, isLimited: false });
    } else if (/^\s+Import limit:\s+\d+ \[HIT\]/.test(line)) add({ isLimited: true });
    else {
      const [, imported] = /^\s+Routes:\s+(\d+) imported/.exec(line) ?? [];
      if (imported !== undefined) add({ imported: Number(imported) });
    }
  }
  return states;
}

/** Whether a session that was established has ended since, also if it is established again. */
export function hasEnded(before: SessionState, now: SessionState): boolean {
  if (!before.established) return false;
  // Of a session that goes on, the time becomes a date after a day.
  return !now.established || (now.since !== before.since && now.since.includes(":"));
}
