// The nftables rules by which agents before 2026-11-29 masqueraded connections that left the cluster. The programs do that now.
import { spawnSync } from "node:child_process";
import { nftTransaction } from "./nft-command.ts";

const TABLE = "ebpf_dataplane";
const FAMILIES = ["ip", "ip6"] as const;
type NftFamily = (typeof FAMILIES)[number];

/** Removes the rules, once the programs of this agent are attached. Connections that the rules have already translated belong to the
 * kernel's connection tracking. It translates them as long as there is a NAT chain, so an empty chain stays until the node starts
 * again. @returns whether there were any rules */
export function retireMasquerade(): boolean {
  return FAMILIES.map((family) => {
    if (!/\bmasquerade\b/.test(listed(family) ?? "")) return false;
    // Without the comment by which an older agent recognizes its rules, in case that version is installed again.
    const chain = "chain postrouting { type nat hook postrouting priority srcnat; policy accept; }";
    replace(family, `table ${family} ${TABLE} { ${chain}\n}\n`);
    return true;
  }).includes(true);
}

export function removeMasquerade(): void {
  for (const family of FAMILIES) if (listed(family) !== undefined) replace(family, "");
}

function listed(family: NftFamily): string | undefined {
  const { status, stdout } = spawnSync("nft", ["list", "table", family, TABLE], { encoding: "utf8" });
  return status === 0 ? stdout : undefined;
}

function replace(family: NftFamily, by: string): void {
  const table = `table ${family} ${TABLE}`;
  nftTransaction(`${table} {}\ndelete ${table}\n${by}`, `nft refused to remove the rules of ${table}`);
}
