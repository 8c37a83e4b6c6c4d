import pc from "picocolors";
import { stagedText } from "../../../model/flow/line-text.ts";
import { printable } from "../../../model/printable.ts";
import type { End, Flow } from "../events/flow.ts";
import type { FlowLine, HistoryLine, LostLine } from "../events/flow-stream.ts";
import { addressAndPort } from "./words.ts";

/** One flow as a line: "15:04:05.123  node  opened  TCP 172.31.1.55:40001 > 172.31.1.8:30604 (service default/web) …". */
export function flowLine({
  time,
  node,
  verdict,
  protocol,
  client,
  to,
  backend,
  reply,
  peer,
  reason,
  text,
  rule,
  staged,
  socket,
}: Flow): string {
  const shown =
    verdict === "opened"
      ? pc.green("opened  ")
      : verdict === "logged"
        ? pc.cyan("logged  ")
        : verdict === "rejected"
          ? pc.yellow("rejected")
          : pc.red("dropped ");
  const from = client ? endText(client) : socket ? "a socket" : "?";
  const parts = [
    `${protocol} ${from} > ${endText(to)}`,
    ...(backend ? [`> ${endText(backend)}`] : []),
    ...(peer ? [`[${peer}]`] : []),
    ...(reply ? [`reply ${reply}`] : []),
    ...(reason ? [printable(`${reason}: ${rule ?? text}`)] : text ? [printable(text)] : []),
    ...(staged ? [pc.yellow(printable(stagedText(staged)))] : []),
    ...(verdict === "logged" && rule ? [printable(`logged by ${rule}`)] : []),
  ];
  return `${time.slice(11, 23)}  ${node.padEnd(8)}  ${shown}  ${parts.join("  ")}`;
}

/** The same for lines that say what is missing. */
export function anyLine(line: FlowLine): string {
  if ("history" in line) return historyText(line);
  return "lost" in line ? lostText(line) : flowLine(line);
}

/** "history of node since 15:04:05; 120 flows from shop pushed out by later ones; 3 not kept: too many at once" */
export function historyText({ history: { node, since, pushedOut, missed } }: HistoryLine): string {
  const gone = Object.entries(pushedOut).map(([whose, number]) => `${number} flows ${whose} pushed out by later ones`);
  const start = `history of ${node} since ${new Date(since).toISOString().slice(11, 19)}`;
  return [start, ...gone, ...(missed > 0 ? [`${missed} flows not kept: too many at once`] : [])].join("; ");
}

export function lostText({ lost: { node, flows } }: LostLine): string {
  return `${node}: ${flows} flows lost, because this reader is too slow`;
}

function endText({ address, port, name }: End): string {
  return `${addressAndPort(address, port)}${name ? ` (${name})` : ""}`;
}
