/** The observed state of a lab. */
export interface Sight {
  /** cluster: of `up`; cloud: of a rehearsal; machines: without a record, so of a test, or of a run that was killed. */
  kind: "cluster" | "cloud" | "machines";
  /** The command that works on the lab now, as "'up' (process 12)". */
  holder?: string | undefined;
  /** The process that made it, if that was recorded. */
  maker?: { pid: number; isAlive: boolean } | undefined;
  machines: { name: string; role: string; running: boolean; bootstrapped?: boolean }[];
  /** Undefined: there is no API server to ask. */
  apiServerReady?: boolean | undefined;
  /** Why its record cannot be read. */
  unreadable?: string | undefined;
  /** Whether the lab has network namespaces; without them nothing of it runs. */
  hasNamespaces?: boolean;
}

export interface Verdict {
  state: "ready" | "busy" | "in use" | "not ready" | "stopped" | "incomplete" | "leftover" | "unknown";
  /** Why it is not ready. */
  reason?: string;
  /** Whether the lab is no longer usable. */
  isRemovable: boolean;
}

const ENDED = "the run that made it was ended before it finished";

/** Derives the state of a lab from what was observed. */
export function judge(sight: Sight): Verdict {
  const { kind, holder, maker, machines, apiServerReady } = sight;
  if (holder !== undefined) return { state: "busy", reason: `${holder} works on it`, isRemovable: false };
  if (sight.unreadable !== undefined && sight.hasNamespaces)
    return { state: "unknown", reason: `${sight.unreadable}; somebody may be using it`, isRemovable: true };
  if (sight.unreadable !== undefined) return { state: "leftover", reason: sight.unreadable, isRemovable: true };
  if (kind === "machines") {
    if (maker?.isAlive) return { state: "in use", reason: `process ${maker.pid} made it and runs`, isRemovable: false };
    if (maker) return { state: "leftover", reason: ENDED, isRemovable: true };
    return { state: "unknown", reason: "nothing says who made it; somebody may be using it", isRemovable: true };
  }
  const controlPlane = machines.find(({ role }) => role === "control-plane");
  if (kind === "cluster" && controlPlane?.bootstrapped !== true)
    return { state: "incomplete", reason: ENDED, isRemovable: true };
  const dead = machines.filter(({ running }) => !running).map(({ name }) => name);
  if (dead.length === machines.length)
    return { state: "stopped", reason: "no machine runs, as after a reboot; 'up' boots them", isRemovable: false };
  if (dead.length > 0) return notReady(`${dead.join(", ")} ${dead.length === 1 ? "does" : "do"} not run`);
  return apiServerReady === false ? notReady("the API server does not answer") : { state: "ready", isRemovable: false };
}

const notReady = (reason: string): Verdict => ({ state: "not ready", reason, isRemovable: false });
