import pc from "picocolors";
import type { End, Flow } from "../../agent/observe/events/flow.ts";
import { addressAndPort } from "../../agent/observe/inspect/words.ts";
import { stagedText } from "../../model/flow/line-text.ts";
import { printable } from "../../model/printable.ts";

/** One flow for a narrow screen: names if there are any, and for a refusal the policy rather than the path. At most `width` columns, if
 * there is room for more than the names at all. */
export function shortLine(flow: Flow, width: number): string {
  const { time, node, protocol, verdict, client, to, service, backend, staged } = flow;
  const ends = [
    client ? endName(client) : "a socket",
    service ?? endName(to),
    ...(backend && verdict === "opened" ? [endName(backend)] : []),
  ];
  const [before, after] = [`${time.slice(11, 19)} ${node} ${protocol} `, afterwards(flow)];
  const room = width - before.length - after.length - 3 * (ends.length - 1);
  const shown = within(ends, room).join(" > ");
  const colour = verdict === "opened" ? (text: string) => text : verdict === "logged" ? pc.cyan : pc.red;
  return `${before}${shown}${colour(after)}${staged ? pc.yellow(` ${printable(stagedText(staged))}`) : ""}`;
}

function afterwards({ verdict, reason, rule }: Flow): string {
  if (verdict === "opened") return "";
  if (verdict === "logged") return ` logged by ${ruleName(rule ?? "")}`;
  return rule ? ` ✗ ${ruleName(rule)}` : ` ✗ ${reason ?? verdict}`;
}

/** "deny-db rule 2 (tier security)" of "tier security, GlobalNetworkPolicy deny-db, ingress rule 2"; "shop/web (tier default)" where no rule of it
 * allows something. */
export function ruleName(rule: string): string {
  const [, tier, policy, number] = /^tier (\S+), .*Policy (\S+), (?:in|e)gress rule (\d+)/.exec(rule) ?? [];
  if (tier) return `${policy} rule ${number} (tier ${tier})`;
  const [, policies, end] = /^no rule of (.+) allows it \(end of tier (\S+)\)$/.exec(rule) ?? [];
  if (policies) return `${policies.replace(/\b(Calico )?\w*NetworkPolicy /g, "")} (tier ${end})`;
  return printable(rule);
}

/** "shop/web", "master", "client1"; without a name the address and port. */
export function endName(end: End): string {
  return ownerName(end) ?? addressAndPort(end.address, end.port);
}

/** "shop/web" of "pod shop/web-6d4cf56db6-x7k2p". */
export function ownerName({ name, workload }: End): string | undefined {
  const object = name?.slice(name.indexOf(" ") + 1);
  return workload ? `${object?.split("/")[0]}/${workload}` : object;
}

/** Shortens the longest first. */
function within(texts: readonly string[], room: number): string[] {
  const result = [...texts];
  const length = () => result.reduce((sum, text) => sum + text.length, 0);
  while (length() > room) {
    const longest = result.reduce((best, text, index) => (text.length > (result[best]?.length ?? 0) ? index : best), 0);
    const text = result[longest] ?? "";
    if (text.length <= LEAST) break;
    result[longest] = `${text.slice(0, Math.max(LEAST, text.length - (length() - room)) - 1)}…`;
  }
  return result;
}

const LEAST = 8;
