import { z } from "zod";
import { kubeProxyListens } from "./kube-proxy-ports.ts";
import { nft, nftTransaction } from "./nft-command.ts";

// What kube-proxy makes: chains in the tables that it shares with others (iptables, which is nf_tables below), and a table
// of its own (nftables). KUBE-FIREWALL, KUBE-IPTABLES-HINT and KUBE-KUBELET-CANARY are kubelet's and stay.
const CHAIN = new RegExp(
  "^KUBE-(SERVICES|EXTERNAL-SERVICES|NODEPORTS|POSTROUTING|MARK-MASQ|FORWARD|PROXY-FIREWALL|PROXY-CANARY" +
    "|(SVC|SVL|SEP|FW|EXT|XLB)-[0-9A-Z]{16})$",
);
const OWN_TABLE = "kube-proxy";
const FAMILIES = ["ip", "ip6"];

const chain = z.object({
  family: z.string(),
  table: z.string(),
  name: z.string(),
  /** Only chains that packets enter by themselves have one: kube-proxy's are jumped to from there. */
  hook: z.string().optional(),
});
type Chain = z.infer<typeof chain>;

/** A rule in a chain of somebody else that jumps to one of kube-proxy's. */
interface Jump {
  readonly chain: Chain;
  readonly handle: number;
}

/** Removes the rules of a kube-proxy that is gone; nothing else in the tables is touched. True: there were some. Costs one
 * process where there are none. A kube-proxy that runs keeps its rules: it is about to take services over, or on its way
 * out, and would miss them for as long as half a minute (nftables mode writes only differences).
 * @param hasPod whether the cluster has a pod of kube-proxy on this node */
export function removeKubeProxyRules(hasPod: () => boolean): boolean {
  const chains = listChains();
  const script = removal(chains, (shared) => rulesOf(shared));
  if (script.length === 0 || hasPod() || kubeProxyListens()) return false;
  nftTransaction(`${script.join("\n")}\n`, purpose("--file", "-"));
  return true;
}

/** Whether this node has rules of a kube-proxy, one that runs or one that is gone. */
export function hasKubeProxyRules(): boolean {
  return removal(listChains(), () => []).length > 0;
}

/** The commands that remove kube-proxy's chains, as one transaction: first what jumps to them, then their content, which
 * refers to each other, then themselves. `rulesOf` gives a chain's rules as nft's JSON has them. */
export function removal(chains: readonly Chain[], rulesOf: (chain: Chain) => readonly unknown[]): string[] {
  const own = chains.filter(({ table }) => table === OWN_TABLE);
  const ours = chains.filter(({ table, name }) => table !== OWN_TABLE && CHAIN.test(name));
  const tables = new Set(ours.map(({ family, table }) => `${family} ${table}`));
  const entries = chains.filter(({ family, table, hook }) => hook && tables.has(`${family} ${table}`));
  const jumps = entries.flatMap((entry) => jumpsOf(entry, rulesOf(entry)));
  return [
    ...jumps.map(({ chain, handle }) => `delete rule ${path(chain)} handle ${handle}`),
    ...ours.map((each) => `flush chain ${path(each)}`),
    ...ours.map((each) => `delete chain ${path(each)}`),
    ...[...new Set(own.map(({ family }) => family))].map((family) => `delete table ${family} ${OWN_TABLE}`),
  ];
}

const path = ({ family, table, name }: Chain): string => `${family} ${table} ${name}`;

const jumpRule = z.object({
  rule: z.object({
    handle: z.number(),
    expr: z.array(z.looseObject({ jump: z.object({ target: z.string() }).optional() })),
  }),
});

function jumpsOf(chain: Chain, rules: readonly unknown[]): Jump[] {
  return rules.flatMap((item) => {
    const { success, data } = jumpRule.safeParse(item);
    const jumps = success && data.rule.expr.some(({ jump }) => jump && CHAIN.test(jump.target));
    return jumps ? [{ chain, handle: data.rule.handle }] : [];
  });
}

function listChains(): Chain[] {
  const listed = z.object({ nftables: z.array(z.looseObject({ chain: chain.optional() })) });
  const all = listed.parse(JSON.parse(ask("--json", "list", "chains")));
  return all.nftables.flatMap((item) => (item.chain && FAMILIES.includes(item.chain.family) ? [item.chain] : []));
}

function rulesOf(chain: Chain): unknown[] {
  const text = ask("--json", "--handle", "list", "chain", chain.family, chain.table, chain.name);
  return z.object({ nftables: z.array(z.unknown()) }).parse(JSON.parse(text)).nftables;
}

const purpose = (...args: string[]): string => `nft ${args.join(" ")} (kube-proxy's leftover rules)`;
const ask = (...args: string[]): string => nft(args, purpose(...args));
