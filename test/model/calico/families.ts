// The addresses of worlds, each with its twin in IPv6.
import type { World } from "./objects.ts";

export type Family = "IPv4" | "IPv6";

export const NODES = { master: "172.31.1.8", node: "172.31.1.207" };
/** Addresses that are no pod's; the last is that of a node. */
export const CLIENTS = ["172.31.1.55", "172.31.1.162", "8.8.8.8", NODES.node];
/** Pods have 10.244.0.1 to .6. */
export const BLOCKS = [
  ...["10.244.0.0/16", "10.244.0.0/29", "10.244.0.2/31", "10.244.0.1/32", "10.244.0.3/32"],
  ...["172.31.0.0/16", "172.31.1.0/24", "172.31.1.55/32", "8.8.8.8/32", "0.0.0.0/0"],
];
const PREFIXES = [
  ["10.244.0.", "fd00:10:244::"],
  ["172.31.1.", "fd00:172:31:1::"],
  ["10.9.0.", "fd00:10:9::"],
  ["8.8.8.", "2001:db8::"],
] as const;
const LENGTHS: Readonly<Record<string, string>> = {
  "10.244.0.0/16": "fd00:10:244::/56",
  "172.31.0.0/16": "fd00:172:31::/48",
  "172.31.1.0/24": "fd00:172:31:1::/64",
  "0.0.0.0/0": "::/0",
};

/** Of an address, or of a block in the list. */
export function twinOf(text: string): string {
  const known = LENGTHS[text];
  if (known) return known;
  const [address = "", length] = text.split("/");
  const [from, to] = PREFIXES.find(([prefix]) => address.startsWith(prefix)) ?? [];
  if (from === undefined) throw new Error(`${text} has no twin`);
  const last = address.slice(from.length);
  const twin = `${to}${last === "0" ? "" : last}`;
  return length === undefined ? twin : `${twin}/${96 + Number(length)}`;
}

export function inFamily(text: string, family: Family): string {
  return family === "IPv6" ? twinOf(text) : text;
}

export function isIpv6(address: string): boolean {
  return address.includes(":");
}

/** The families of a world's nodes; IPv4 where nothing is said of nodes. */
export function familiesOf({ nodes }: Pick<World, "nodes">): Family[] {
  const [first] = nodes;
  if (!first) return ["IPv4"];
  return [...new Set(first.status.addresses.map(({ address }): Family => (isIpv6(address) ? "IPv6" : "IPv4")))];
}

/** Of `master`, whose uplinks they are. */
export function interfacesOf(world: Pick<World, "nodes">): { name: string; addresses: string[] }[] {
  const families = familiesOf(world);
  return [
    { name: "eth0", addresses: families.map((family) => inFamily(NODES.master, family)) },
    { name: "eth1", addresses: families.map((family) => inFamily("10.9.0.8", family)) },
  ];
}
