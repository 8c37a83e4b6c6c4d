import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import type { NatOutgoing } from "../../model/pool/pools.ts";
import { nftTransaction } from "./nft-command.ts";

const TABLE = "ebpf_dataplane";
/** The nftables families, and the type of their addresses. */
const FAMILIES = { ip: "ipv4_addr", ip6: "ipv6_addr" } as const;
type NftFamily = keyof typeof FAMILIES;
const families = Object.keys(FAMILIES) as NftFamily[];

/** Source ports of masqueraded packets: above the node ports (Kubernetes' default range), and never chosen by the pod. Otherwise
 * a pod could contact a client from a node port's number, and receive that client's next datagrams to the service. */
const PORTS = "32768-65535";

/** Configures the kernel to masquerade traffic that leaves the cluster from pools with natOutgoing, in a table for each address
 * family. A table is replaced in one transaction, and only if its content changes: its comment is the hash of its content. Returns whether
 * one changed. */
export function reconcileMasquerade(nat: NatOutgoing): boolean {
  return families.map((family) => reconcileTable(nat, family)).includes(true);
}

function reconcileTable(nat: NatOutgoing, family: NftFamily): boolean {
  const present = presentHash(family);
  if (ofFamily(nat.sources, family).length === 0) {
    if (present !== undefined) runNft(`delete table ${family} ${TABLE}\n`, family);
    return present !== undefined;
  }
  const text = masqueradeTable(nat, family);
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
  if (present === hash) return false;
  const table = `table ${family} ${TABLE}`;
  runNft(`${table} {}\ndelete ${table}\n${text.replace("comment", `comment "${hash}"`)}`, family);
  return true;
}

export function removeMasquerade(): void {
  for (const family of families) reconcileTable({ sources: [], exclusions: [] }, family);
}

/** The table of one family in nft(8) syntax. With sets, the cost of the rule does not depend on the number of pools and nodes. Existing
 * connections keep their translation when the table is replaced. */
export function masqueradeTable({ sources, exclusions }: NatOutgoing, family: NftFamily): string {
  return `table ${family} ${TABLE} {
  comment
  set sources {
    type ${FAMILIES[family]}
    flags interval
    auto-merge${elements(sources, family)}
  }
  set exclusions {
    type ${FAMILIES[family]}
    flags interval
    auto-merge${elements(exclusions, family)}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ${family} saddr @sources ${family} daddr != @exclusions fib daddr type unicast meta l4proto { tcp, udp, sctp } masquerade to :${PORTS} fully-random
    ${family} saddr @sources ${family} daddr != @exclusions fib daddr type unicast masquerade
  }
}
`;
}

function elements(cidrs: readonly string[], family: NftFamily): string {
  const own = ofFamily(cidrs, family).sort();
  return own.length === 0 ? "" : `\n    elements = { ${own.join(", ")} }`;
}

function ofFamily(cidrs: readonly string[], family: NftFamily): string[] {
  return cidrs.filter((cidr) => cidr.includes(":") === (family === "ip6"));
}

// The text format, because nft's JSON omits comments of tables.
function presentHash(family: NftFamily): string | undefined {
  const { status, stdout } = spawnSync("nft", ["list", "table", family, TABLE], { encoding: "utf8" });
  return status === 0 ? (/^\s*comment "(\w+)"/m.exec(stdout)?.[1] ?? "") : undefined;
}

function runNft(script: string, family: NftFamily): void {
  nftTransaction(script, `nft refused the table ${family} ${TABLE} (natOutgoing)`);
}
