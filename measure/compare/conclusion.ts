import type { ComparedMode, ComparedModeResult, Comparison } from "../../report/results/compare.ts";
import type { Ratio } from "../../report/results/figures.ts";
import { modeFacts, modeNames } from "./modes.ts";

/** Input for the expected rows. */
export interface Expected {
  /** Every client by name with its addresses. */
  clients: { name: string; address: string; addressIpv6?: string | undefined }[];
  /** Names of the clients that the policies in force admit: whom an eBPF mode served with them. */
  admitted: string[];
  entryAddress: string;
  /** Absent where the clients do not connect over IPv6. */
  entryIpv6?: string | undefined;
}

type Row = Comparison["expected"][number];

/** A mode's expected and observed behavior. */
export function expectedRows(mode: ComparedModeResult, expected: Expected): Row[] {
  const { clients, entryIpv6 } = expected;
  const overIpv4 = rowsOf(mode.mode, modeNames[mode.mode], mode, expected);
  if (entryIpv6 === undefined) return overIpv4;
  const seen = mode.overIpv6 ?? { served: {}, servedWithoutPolicy: {}, loggedSources: [] };
  const ipv6 = clients.map(({ name, addressIpv6 = "" }) => ({ name, address: addressIpv6 }));
  const name = `${modeNames[mode.mode]}, IPv6`;
  return [...overIpv4, ...rowsOf(mode.mode, name, seen, { ...expected, clients: ipv6, entryAddress: entryIpv6 })];
}

type Seen = Pick<ComparedModeResult, "served" | "servedWithoutPolicy" | "loggedSources" | "replyPath">;

/** Over one address family. */
function rowsOf(mode: ComparedMode, name: string, seen: Seen, { clients, admitted, entryAddress }: Expected): Row[] {
  const { source, reply } = modeFacts[mode];
  const everybody = clients.map((client) => client.name);
  // Behind kube-proxy a policy that names clients sees the node, and drops all of them.
  const withPolicy = source === "client" ? admitted : [];
  const sources = source === "client" ? clients.map(({ address }) => address) : [entryAddress];
  const row = (what: string, expected: string, observed: string): Row => ({
    what: `${name}: ${what}`,
    expected,
    observed,
    pass: expected === observed,
  });
  return [
    row("served with the policy", list(withPolicy), list(servedOf(seen.served, everybody))),
    row("served without it", list(everybody), list(servedOf(seen.servedWithoutPolicy, everybody))),
    row("logged by the server", list([...sources].sort()), list([...seen.loggedSources].sort())),
    ...(mode === "Direct" ? [] : [row("way of the reply", reply, seen.replyPath ?? "not seen")]),
  ];
}

const servedOf = (served: Record<string, boolean>, clients: string[]): string[] =>
  clients.filter((client) => served[client]);
const list = (items: string[]): string => items.join(", ") || "none";

/** The result in one sentence: first the observations, then the costs. */
export function conclusionOf(
  modes: ComparedModeResult[],
  ratios: Ratio[],
  expected: Row[],
  othersShare?: number,
): string {
  const wrong = expected.filter(({ pass }) => !pass);
  const broken = modes.filter(({ problem, rounds }) => problem !== undefined && rounds === 0);
  if (broken.length > 0)
    return `Not measured: ${broken.map(({ mode, problem }) => `${modeNames[mode]} (${problem})`).join("; ")}.`;
  if (wrong[0])
    return `${wrong.length} of ${expected.length} expectations do not hold: ${wrong[0].what} should be ${wrong[0].expected}, and is ${wrong[0].observed}.`;
  const proven = modes.some(({ mode }) => mode.startsWith("KubeProxy"))
    ? "kube-proxy hides the clients and the policy blocks all of them, eBPF shows and serves them"
    : "the server saw the clients themselves";
  const said = [
    ratioSentence(ratios, "EbpfDsr", "KubeProxyIptables"),
    ratioSentence(ratios, "EbpfTunnel", "KubeProxyIptables"),
    ratioSentence(ratios, "EbpfDsr", "EbpfTunnel"),
    ratioSentence(ratios, "EbpfDsr", "KubeProxyIptables", "requestUs"),
    ...modes.flatMap(({ mode, rounds, problem }) =>
      problem === undefined ? [] : [`${modeNames[mode]} was measured in ${rounds} rounds only (${problem})`],
    ),
    othersShare &&
      `others had up to ${(100 * othersShare).toFixed(0)} % of the processors' time in rounds that are used`,
  ].filter(Boolean);
  return `${capital(proven)}${said.length > 0 ? `; ${said.join("; ")}` : ""}.`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const measured = { medianUs: "connection", requestUs: "request on a kept connection" } as const;

/** `the median connection takes 0.81× (0.79-0.84) with eBPF, DSR against kube-proxy (iptables)`. */
function ratioSentence(
  ratios: Ratio[],
  of: ComparedMode,
  to: ComparedMode,
  quantity: keyof typeof measured = "medianUs",
): string | undefined {
  const found = ratios.find((ratio) => ratio.of === of && ratio.to === to && ratio.quantity === quantity);
  if (!found) return undefined;
  const names = `${modeNames[of]} and ${modeNames[to]}`;
  return found.difference === "no difference"
    ? `no difference in the median time of a ${measured[quantity]} of ${names} (${ratioText(found)})`
    : `the median ${measured[quantity]} takes ${ratioText(found)} with ${modeNames[of]} against ${modeNames[to]}`;
}

export const ratioText = ({ ratio: { value, low, high } }: Ratio): string =>
  `${value.toFixed(2)}× (${low.toFixed(2)}-${high.toFixed(2)})`;
