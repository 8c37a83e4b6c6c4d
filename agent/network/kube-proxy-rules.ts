import { z } from "zod";
import { kubeProxyListens } from "./kube-proxy-ports.ts";
import { nft, nftSoon, nftTransaction } from "./nft-command.ts";

// kube-proxy creates chains in shared tables (iptables, implemented by nf_tables), or a separate
// table (nftables). KUBE-FIREWALL, KUBE-IPTABLES-HINT and KUBE-KUBELET-CANARY are kubelet's and stay.
const CHAIN = new RegExp(
  "^KUBE-(SERVICES|EXTERNAL-SERVICES|NODEPORTS|POSTROUTING|MARK-MASQ|FORWARD|PROXY-FIREWALL|PROXY-CANARY" +
    "|(SVC|SVL|SEP|FW|EXT|XLB)-[0-9A-Z]{16})$",
);
const OWN_TABLE = "kube-proxy";
const FAMILIES = ["ip", "ip6"];
const LIST = ["--json", "list", "chains"];

const chain = z.object({
  family: z.string(),
  table: z.string(),
  name: z.string(),
  /** Only base chains have a hook; they jump to kube-proxy's chains. */
  hook: z.string().optional(),
});
type Chain = z.infer<typeof chain>;

/** A rule in another chain that jumps to one of kube-proxy's. */
interface Jump {
  readonly chain: Chain;
  readonly handle: number;
}

/** Removes the rules of a kube-proxy that no longer runs, and nothing else in the tables. True: there were some. If
 * there are none, it costs one process. A running kube-proxy keeps its rules: it is about to take over services, or to stop,
 * and without them services would fail for up to half a minute (nftables mode writes only differences).
 * @param hasPod whether the cluster has a pod of kube-proxy on this node */
export async function removeKubeProxyRules(hasPod: () => boolean): Promise<boolean> {
  const chains = await listChains();
  const script = removal(chains, (shared) => rulesOf(shared));
  if (script.length === 0 || hasPod() || kubeProxyListens()) return false;
  nftTransaction(`${script.join("\n")}\n`, purpose("--file", "-"));
  return true;
}

/** Whether this node has rules of a kube-proxy that runs or ran here. */
export async function hasKubeProxyRules(): Promise<boolean> {
  return removal(await listChains(), () => []).length > 0;
}

/** The commands that remove kube-proxy's chains, as one transaction: first the jumps to them, then their content, because
 * chains refer to each other, then the chains. `rulesOf` returns a chain's rules in nft's JSON format. */
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

async function listChains(): Promise<Chain[]> {
  const listed = z.object({ nftables: z.array(z.looseObject({ chain: chain.optional() })) });
  const all = listed.parse(JSON.parse(await nftSoon(LIST, purpose(...LIST))));
  return all.nftables.flatMap((item) => (item.chain && FAMILIES.includes(item.chain.family) ? [item.chain] : []));
}

function rulesOf(chain: Chain): unknown[] {
  const text = askNft("--json", "--handle", "list", "chain", chain.family, chain.table, chain.name);
  return z.object({ nftables: z.array(z.unknown()) }).parse(JSON.parse(text)).nftables;
}

const purpose = (...args: string[]): string => `nft ${args.join(" ")} (kube-proxy's leftover rules)`;
const askNft = (...args: string[]): string => nft(args, purpose(...args));
