import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import type { NatOutgoing } from "../../model/pool/pools.ts";
import { nftTransaction } from "./nft-command.ts";

const TABLE = "ebpf_dataplane";

/** Source ports of masqueraded packets: above the node ports (Kubernetes' default range), and never chosen by the pod. Otherwise
 * a pod could contact a client from a node port's number, and receive that client's next datagrams to the service. */
const PORTS = "32768-65535";

/** Configures the kernel to masquerade traffic that leaves the cluster from pools with natOutgoing. The table
 * is replaced in one transaction, and only if its content changes: its comment is the hash of its content. */
export function reconcileMasquerade(nat: NatOutgoing): boolean {
  const text = masqueradeTable(nat);
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
  const present = presentHash();
  if (nat.sources.length === 0) {
    removeMasquerade();
    return present !== undefined;
  }
  if (present === hash) return false;
  runNft(`table ip ${TABLE} {}\ndelete table ip ${TABLE}\n${text.replace("comment", `comment "${hash}"`)}`);
  return true;
}

export function removeMasquerade(): void {
  if (presentHash() !== undefined) runNft(`delete table ip ${TABLE}\n`);
}

/** The table in nft(8) syntax. With sets, the cost of the rule does not depend on the number of pools and nodes. Existing
 * connections keep their translation when the table is replaced. */
export function masqueradeTable({ sources, exclusions }: NatOutgoing): string {
  return `table ip ${TABLE} {
  comment
  set sources {
    type ipv4_addr
    flags interval
    auto-merge${elements(sources)}
  }
  set exclusions {
    type ipv4_addr
    flags interval
    auto-merge${elements(exclusions)}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr @sources ip daddr != @exclusions fib daddr type unicast meta l4proto { tcp, udp } masquerade to :${PORTS} fully-random
    ip saddr @sources ip daddr != @exclusions fib daddr type unicast masquerade
  }
}
`;
}

function elements(cidrs: readonly string[]): string {
  const ipv4 = cidrs.filter((cidr) => !cidr.includes(":")).sort();
  return ipv4.length === 0 ? "" : `\n    elements = { ${ipv4.join(", ")} }`;
}

// The text format, because nft's JSON omits comments of tables.
function presentHash(): string | undefined {
  const { status, stdout } = spawnSync("nft", ["list", "table", "ip", TABLE], { encoding: "utf8" });
  return status === 0 ? (/^\s*comment "(\w+)"/m.exec(stdout)?.[1] ?? "") : undefined;
}

function runNft(script: string): void {
  nftTransaction(script, `nft refused the table ip ${TABLE} (natOutgoing)`);
}
