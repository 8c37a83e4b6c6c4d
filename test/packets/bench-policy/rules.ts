// The same policies for both: as objects, and as nftables rules in the way of a dataplane made of them (Calico's): a map leads from the
// pod's interface to its chain, which asks the chain of each policy that applies to it, which names its peers by a set.
import type { Policy } from "../../model/network-policy.ts";
import { outside } from "../cluster.ts";

export interface PolicyRules {
  readonly name: string;
  /** Addresses that may connect. */
  readonly peers: readonly string[];
}

/** Names of the policies that apply, by the pod's interface. */
export type Applied = ReadonlyMap<string, readonly string[]>;

const PORT = 80;
const peerOf = (index: number) => `100.${64 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;

/** As many policies of one pod; the last is the one that lets the client in. */
export function manyPolicies(count: number): PolicyRules[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `p${index}`,
    peers: [index === count - 1 ? outside.client1 : peerOf(index)],
  }));
}

/** All of them select the pod `db`. */
export function asObjects(policies: readonly PolicyRules[]): Policy[] {
  return policies.map(({ name, peers }) => ({
    metadata: { name, namespace: "default" },
    spec: {
      podSelector: { matchLabels: { app: "db" } },
      policyTypes: ["Ingress"],
      ingress: [
        {
          from: peers.map((address) => ({ ipBlock: { cidr: `${address}/32` } })),
          ports: [{ protocol: "TCP", port: PORT }],
        },
      ],
    },
  }));
}

const ACCEPTED = "0x10000";
const TABLE = "ip calico";

/** A table with all of them, made at once. */
export function asTable(policies: readonly PolicyRules[], applied: Applied): string {
  const pods = [...applied].map(([pod, names]) => [
    `chain to-${pod} {`,
    "ct state established,related accept",
    "ct state invalid drop",
    `meta mark set meta mark & 0xfffeffff`,
    ...names.flatMap((name) => [`jump policy-${name}`, `meta mark & ${ACCEPTED} == ${ACCEPTED} return`]),
    "drop",
    "}",
  ]);
  const dispatch = [...applied.keys()].map((pod) => `"${pod}" : goto to-${pod}`).join(", ");
  return [
    `table ${TABLE} {`,
    ...policies.flatMap(({ name, peers }) => [
      `set peers-${name} {`,
      "type ipv4_addr",
      `elements = { ${peers.join(", ")} }`,
      "}",
      `chain policy-${name} {`,
      ruleOf(`peers-${name}`),
      "}",
    ]),
    ...pods.flat(),
    "chain dispatch {",
    `oifname vmap { ${dispatch} }`,
    "}",
    "chain forward {",
    "type filter hook forward priority 0; policy accept;",
    "jump dispatch",
    `meta mark & ${ACCEPTED} == ${ACCEPTED} accept`,
    "}",
    "}",
    "",
  ].join("\n");
}

/** One policy has other peers: a set beside the old one, the chain anew, the old set away; one transaction. */
export function asChange({ name, peers }: PolicyRules, version: number): string {
  const set = (number: number) => (number === 0 ? `peers-${name}` : `peers-${name}-${number}`);
  return [
    `add set ${TABLE} ${set(version)} { type ipv4_addr; elements = { ${peers.join(", ")} } }`,
    `flush chain ${TABLE} policy-${name}`,
    `add rule ${TABLE} policy-${name} ${ruleOf(set(version))}`,
    `delete set ${TABLE} ${set(version - 1)}`,
    "",
  ].join("\n");
}

const ruleOf = (set: string) => `ip saddr @${set} tcp dport ${PORT} meta mark set meta mark | ${ACCEPTED}`;
