import type { BareCluster } from "./bare-cluster.ts";
import type { NodeName } from "./objects.ts";

interface Dumped {
  key: string[];
  value: string[];
}

const bytes = (hex: string[]) => Buffer.from(hex.map((byte) => Number.parseInt(byte, 16)));
const words = (buffer: Buffer) => [...buffer].map((byte) => byte.toString()).join(" ");

/** Makes a node's connection entries look idle for that long. @returns how many there were */
export async function age(cluster: BareCluster, node: NodeName, seconds: number): Promise<number> {
  const map = (await cluster.run(node, ["find", "/sys/fs/bpf", "-name", "connections"])).trim();
  const dumped = JSON.parse(await cluster.run(node, ["bpftool", "-j", "map", "dump", "pinned", map])) as Dumped[];
  for (const { key, value } of dumped) {
    const entry = bytes(value);
    const lastSeen = entry.readBigUInt64LE(0) - BigInt(seconds) * 1_000_000_000n; // the first field
    entry.writeBigUInt64LE(BigInt.asUintN(64, lastSeen)); // may be before this computer's boot
    const update = ["key", ...words(bytes(key)).split(" "), "value", ...words(entry).split(" ")];
    await cluster.run(node, ["bpftool", "map", "update", "pinned", map, ...update]);
  }
  return dumped.length;
}
