import { endText, type FlowLogLine, type FlowRecord, targetText } from "./record.ts";

/** Colours for a terminal. */
interface Colours {
  readonly green: (text: string) => string;
  readonly red: (text: string) => string;
  readonly yellow: (text: string) => string;
}

/** A line of the flow log for people: "15:04:05  node  allowed  shop/web → db/pg:5432  12 connections, 3 active". */
export function flowLogLineText(line: FlowLogLine, { green, red, yellow }: Colours): string {
  if (line.type === "interval") {
    const { lostConnections, lostRefusals, summarised, unwritten } = line;
    const said = [
      `${line.flows} flows until ${line.until.slice(11, 19)}`,
      ...(lostConnections > 0 ? [`${lostConnections} connections not named: too many at once`] : []),
      ...(lostRefusals > 0 ? [`${lostRefusals} refused packets not named: too many at once`] : []),
      ...(summarised > 0 ? [`${summarised} only counted as others`] : []),
      ...(unwritten > 0 ? [`${unwritten} earlier lines not written`] : []),
    ];
    return `${line.from.slice(11, 19)}  ${line.node}  ${said.join("; ")}`;
  }
  const { verdict, last, node, from, service, reason, policy, connections, active, packetsRefused } = line;
  const colour = verdict === "allowed" ? green : verdict === "denied" ? red : yellow;
  const counts = [
    ...(connections > 0
      ? [`${connections} connection${connections === 1 ? "" : "s"}${line.sentOn ? " sent on" : ""}`]
      : []),
    ...(active > 0 ? [`${active} active`] : []),
    ...(packetsRefused > 0 ? [`${packetsRefused} packet${packetsRefused === 1 ? "" : "s"}`] : []),
  ];
  const why = [...(policy || reason ? [policy ?? reason] : []), ...(line.staged ? [stagedText(line.staged)] : [])];
  const to = `${endText(from)} → ${targetText(line)}${service ? ` (service ${service})` : ""}`;
  return [last.slice(11, 19), node, colour(verdict.padEnd(7)), to, counts.join(", "), ...why].join("  ");
}

const WOULD = { allowed: "would be allowed", denied: "WOULD BE DENIED", depends: "might be denied" } as const;

export function stagedText({ verdict, reason }: NonNullable<FlowRecord["staged"]>): string {
  return `${WOULD[verdict]} by staged policies${reason ? `: ${reason}` : ""}`;
}
