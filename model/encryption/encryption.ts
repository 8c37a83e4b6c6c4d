import type { Address } from "../address/address.ts";
import type { NodeDirectory } from "../node/nodes.ts";
import { byAge } from "../objects/age.ts";
import type { FelixConfiguration, IpPool } from "../objects/calico.ts";
import type { Node } from "../objects/core.ts";
import { isForLoadBalancers } from "../pool/uses.ts";
import type { Problem } from "../problem.ts";

/** Annotation of a Node, which its agent writes. Calico's own annotation would say that the node accepts the packets of Calico's nodes,
 * which have another form. */
export const PUBLIC_KEY = "ebpf-dataplane.io/wireguard-public-key";

/** A key of Curve25519 in base64: 32 bytes, with what fills up the last character zero. */
const KEY = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;

/** Another node with which packets are encrypted. */
export interface EncryptionPeer {
  readonly node: string;
  readonly publicKey: string;
  readonly address: Address;
}

/** How this node encrypts packets between itself and other nodes. */
export interface EncryptionPlan {
  /** The key that this node's Node object names. */
  readonly published: string | undefined;
  readonly peers: readonly EncryptionPeer[];
  /** Nodes without a key: no packet is sent to them, and no wrapped packet is accepted from them. */
  readonly without: readonly string[];
  readonly problems: readonly Problem[];
}

export function isEncrypted(configuration: FelixConfiguration | undefined): boolean {
  return configuration?.spec.wireguardEnabled === true;
}

/** The pools with the encapsulation of their packets between nodes. */
export function poolsInForce(
  pools: readonly IpPool[],
  configuration: FelixConfiguration | undefined,
): readonly IpPool[] {
  return isEncrypted(configuration) ? encryptedPools(pools) : pools;
}

/** The same while packets are encrypted: only wrapped packets are. */
export function encryptedPools(pools: readonly IpPool[]): IpPool[] {
  return pools.map((pool) =>
    isForLoadBalancers(pool) ? pool : { ...pool, spec: { ...pool.spec, vxlanMode: "Always", ipipMode: "Never" } },
  );
}

/** The other nodes and their keys. A key belongs to the oldest node that names it: WireGuard identifies a peer by its key, so another
 * node with the same key would take that node's address away. */
export function planEncryption(nodes: readonly Node[], directory: NodeDirectory): EncryptionPlan {
  const { nodeName } = directory.facts;
  const problems: Problem[] = [];
  const holders = new Map<string, string>();
  const peers: EncryptionPeer[] = [];
  const without: string[] = [];
  let published: string | undefined;
  for (const { metadata } of [...nodes].sort(byAge)) {
    const { name } = metadata;
    const key = metadata.annotations?.[PUBLIC_KEY];
    const holder = key === undefined ? undefined : holders.get(key);
    const fault = faultOf(key, holder);
    if (fault) problems.push(refused(name, fault));
    if (key !== undefined && !holder) holders.set(key, name);
    if (name === nodeName) {
      published = key;
      continue;
    }
    const address = directory.underlayOf(name);
    if (key !== undefined && !fault && address) peers.push({ node: name, publicKey: key, address });
    else without.push(name);
  }
  return { published, peers, without, problems };
}

function faultOf(key: string | undefined, holder: string | undefined): string | undefined {
  if (key === undefined) return undefined;
  if (!KEY.test(key)) return "is no public key of WireGuard (32 bytes in base64)";
  return holder && `is the key of Node ${holder}`;
}

function refused(name: string, fault: string): Problem {
  const message = `${fault}: other nodes send this node's pods nothing. Next: remove the annotation; the node's agent writes its key again.`;
  return { kind: "Node", name, path: `metadata.annotations[${PUBLIC_KEY}]`, message };
}
