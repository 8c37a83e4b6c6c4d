import type { Preview } from "../document.ts";
import type { Impact } from "../flows/document.ts";
import type { Section } from "./sections.ts";

/** More flows than this are counted. */
const MANY = 20;

/** What becomes of the flows that were seen: what is cut first. */
/** @param now milliseconds since 1970 */
export function flowsOutline({ flows }: Preview, now = Date.now()): Section {
  if (!flows) return { title: "", lines: [] };
  const { what, from, until, nodes, cut, opened, undecided, kept, droppedUnused, unused, notNamed, unreadable } = flows;
  const { unusedDays } = flows;
  const ago = (last: string) => duration(now - Date.parse(last));
  const total = (all: { connections: number }[]) => all.reduce((sum, { connections }) => sum + connections, 0);
  const milliseconds = Date.parse(until) - Date.parse(from);
  const span = duration(milliseconds);
  const whole = `in the ${span} of the log`;
  const time =
    unusedDays === undefined
      ? whole
      : milliseconds < unusedDays * DAY_MS
        ? `${whole}, which is shorter than ${counted(unusedDays, "day")}`
        : `in its last ${counted(unusedDays, "day")}`;
  const lines = [
    ...(cut.length > 0 ? [`would cut ${counted(total(cut), "connection")} of ${counted(cut.length, "flow")}:`] : []),
    ...some(
      cut,
      ({ connections, last, reason, ...one }) =>
        `${flow(one)}: ${counted(connections, "connection")} (last seen ${ago(last)} ago): ${reason}`,
    ),
    ...(opened.length > 0 ? [`would allow ${counted(opened.length, "flow")} that policies deny now:`] : []),
    ...some(
      opened,
      ({ packets, last, deniedBy, ...one }) =>
        `${flow(one)}: ${counted(packets, "packet")} denied (last ${ago(last)} ago)${deniedBy.length > 0 ? ` by ${deniedBy.join("; ")}` : ""}`,
    ),
    ...(undecided.length > 0 ? [`cannot decide ${counted(undecided.length, "flow")}:`] : []),
    ...some(
      undecided,
      ({ connections, reason, ...one }) => `${flow(one)}: ${counted(connections, "connection")}, depends on ${reason}`,
    ),
    `keeps ${counted(kept.connections, "connection")} of ${counted(kept.flows, "flow")}`,
    ...(droppedUnused.length > 0 ? [`will be dropped, and nobody used it ${time}:`] : []),
    ...some(droppedUnused, flow),
    ...(unused.length > 0 ? [`is allowed, and nobody used it ${time}:`] : []),
    ...some(
      unused,
      ({ policy, rule, lastUsed }) => `${policy}, ${rule}${lastUsed ? ` (last used ${ago(lastUsed)} ago)` : ""}`,
    ),
    ...(notNamed > 0 ? [`not judged: ${notNamed} connections and packets that the log counts but does not name`] : []),
    ...(unreadable > 0 ? [`not judged: ${counted(unreadable, "line")} that cannot be read`] : []),
  ];
  return { title: `Flows in ${what} (${span} until ${until}, ${counted(nodes.length, "node")})`, lines };
}

const DAY_MS = 86_400_000;
const flow = ({ from, to }: Pick<Impact["cut"][number], "from" | "to">): string => `${from} → ${to}`;

function some<T>(all: readonly T[], text: (one: T) => string): string[] {
  const more = all.length > MANY ? [`  … and ${all.length - MANY} more`] : [];
  return [...all.slice(0, MANY).map((one) => `  ${text(one)}`), ...more];
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function duration(milliseconds: number): string {
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes < 120) return `${minutes} min`;
  return minutes < 2880 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} days`;
}
