import { FormatError } from "../expectation/place.ts";
import type { FlowLogLine } from "./record.ts";

/** Which flows of a log to show, as options give it. */
export interface KeptFilter {
  readonly namespace?: string;
  readonly verdict?: string;
  readonly port?: number;
  /** Only flows for which staged policies would decide otherwise. */
  readonly staged?: boolean;
}

const VERDICTS = ["allowed", "denied", "refused"];

/** Refuses values that no flow has. @throws FormatError */
export function readFilter({ namespace, verdict, port, staged }: KeptFilter): KeptFilter {
  if (verdict !== undefined && !VERDICTS.includes(verdict))
    throw new FormatError(`verdict is "${verdict}"`, VERDICTS.join(", "));
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535))
    throw new FormatError(`port is ${port}`, "a number from 0 to 65535");
  return {
    ...(namespace && { namespace }),
    ...(verdict && { verdict }),
    ...(port !== undefined && { port }),
    ...(staged && { staged }),
  };
}

/** Lines about whole intervals are always wanted: they say what was lost. */
export function isWanted(line: FlowLogLine, { namespace, verdict, port, staged }: KeptFilter): boolean {
  if (line.type === "interval") return true;
  if (staged && !line.staged) return false;
  if (verdict !== undefined && line.verdict !== verdict) return false;
  if (port !== undefined && line.port !== port) return false;
  return (
    namespace === undefined || [line.from, line.to].some((end) => end.kind === "pods" && end.namespace === namespace)
  );
}
