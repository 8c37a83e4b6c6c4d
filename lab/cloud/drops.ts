import { run } from "../machines/command.ts";
import { inSwitch } from "../machines/switch.ts";

/** Packets that the checks and security groups dropped since they were last loaded, most frequent first: `12 packets: node: a source that …`. */
export async function drops(lab: string): Promise<string[]> {
  return countedDrops(await run([...inSwitch(lab), "nft", "list", "ruleset"], { purpose: "count dropped packets" }));
}

/** From nft's listing: `… counter packets 12 bytes 720 drop comment "node: …"`. */
export function countedDrops(listing: string): string[] {
  return [...listing.matchAll(/counter packets (\d+) bytes \d+ drop comment "([^"]+)"/g)]
    .map(([, packets, reason]) => ({ packets: Number(packets), reason }))
    .filter(({ packets }) => packets > 0)
    .sort((one, other) => other.packets - one.packets)
    .map(({ packets, reason }) => `${packets} packets: ${reason}`);
}
