import pc from "picocolors";
import { stagedText } from "../../../model/flow/line-text.ts";
import type { End, Flow } from "../events/flow.ts";

/** One flow as a line: "15:04:05.123  node  opened  TCP 172.31.1.55:40001 > 172.31.1.8:30604 (service default/web) …".
 * Without names it is short: only addresses, the service's name, and the name of the reason for a refusal. */
export function flowLine(flow: Flow, names = true): string {
  return names ? longLine(flow) : shortLine(flow);
}

function shortLine({
  time,
  node,
  verdict,
  protocol,
  client,
  to,
  service,
  backend,
  reason,
  rule,
  staged,
}: Flow): string {
  const place = ({ address, port }: End) => `${address}:${port}`;
  const ends = [client ? place(client) : "a socket", service ?? place(to), ...(backend ? [place(backend)] : [])];
  const shown =
    verdict === "opened"
      ? [ends.join(" > ")]
      : [ends.slice(0, 2).join(" > "), pc.red([reason ?? verdict, rule].filter(Boolean).join(": "))];
  const would = staged ? [pc.yellow(stagedText(staged))] : [];
  return [time.slice(11, 19), node, protocol, ...shown, ...would].join(" ");
}

function longLine({
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
    ...(reason ? [`${reason}: ${rule ?? text}`] : text ? [text] : []),
    ...(staged ? [pc.yellow(stagedText(staged))] : []),
    ...(verdict === "logged" && rule ? [`logged by ${rule}`] : []),
  ];
  return `${time.slice(11, 23)}  ${node.padEnd(8)}  ${shown}  ${parts.join("  ")}`;
}

export function endText({ address, port, name }: End): string {
  return `${address}:${port}${name ? ` (${name})` : ""}`;
}
