import pc from "picocolors";
import { stagedText } from "../../../model/flow/line-text.ts";
import type { End, Flow } from "../events/flow.ts";
import { printable } from "./printable.ts";
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

function endText({ address, port, name }: End): string {
  return `${addressAndPort(address, port)}${name ? ` (${name})` : ""}`;
}
