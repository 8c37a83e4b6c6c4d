// The lookups by which the packet path judges a packet, as bpf/shared/policy.h and location.h
// describe them, on the same bytes as in the kernel.
import { encodeOne } from "../../agent/kernel/codec.ts";
import { Direction, EndpointFlag, POLICY_ANY_IDENTITY, PolicyVerdict } from "../../agent/kernel/layout.gen.ts";
import type { MapStore, MapStores } from "../../agent/kernel/map-store.ts";

export interface Packet {
  source: string;
  destination: string;
  /** IP protocol number */
  protocol: number;
  /** of the destination; 0 where the protocol has none */
  port: number;
}

type JudgingMaps = Pick<MapStores, "endpoints" | "locations" | "policies">;

/** Lookup of BPF_MAP_TYPE_LPM_TRIE: the longest entry whose first prefix_length bits match the key. */
export function longestMatch<K extends { prefixLength: number }, V>(map: MapStore<K, V>, key: K): V | undefined {
  const wanted = encodeOne(map.definition.key, key).subarray(4);
  let best: { length: number; value: V } | undefined;
  for (const [candidate, value] of map.entries()) {
    const length = candidate.prefixLength;
    if (length > key.prefixLength || (best && best.length >= length)) continue;
    if (samePrefix(encodeOne(map.definition.key, candidate).subarray(4), wanted, length)) best = { length, value };
  }
  return best?.value;
}

function samePrefix(a: Uint8Array, b: Uint8Array, length: number): boolean {
  for (let bit = 0; bit < length; bit++) {
    const mask = 0x80 >> (bit & 7);
    if (((a[bit >> 3] ?? 0) & mask) !== ((b[bit >> 3] ?? 0) & mask)) return false;
  }
  return true;
}

/** Whether the destination endpoint receives the packet; undefined: no such endpoint, no traffic. */
export function delivered(maps: JudgingMaps, packet: Packet): boolean | undefined {
  return judge(maps, packet.destination, packet.source, packet, Direction.INGRESS, EndpointFlag.INGRESS_ISOLATED);
}

/** Whether the source endpoint may send the packet. */
export function sent(maps: JudgingMaps, packet: Packet): boolean | undefined {
  return judge(maps, packet.source, packet.destination, packet, Direction.EGRESS, EndpointFlag.EGRESS_ISOLATED);
}

function judge(
  maps: JudgingMaps,
  subject: string,
  peer: string,
  { protocol, port }: Packet,
  direction: number,
  isolated: number,
): boolean | undefined {
  const endpoint = maps.endpoints.lookup(subject);
  if (!endpoint) return undefined;
  if ((endpoint.flags & isolated) === 0) return true;
  const known = longestMatch(maps.locations, { prefixLength: 128, address: peer });
  const ask = (identity: number) =>
    longestMatch(maps.policies, { prefixLength: 96, policy: endpoint.policy, identity, direction, protocol, port });
  const answer = ask(known?.identity ?? 0) ?? ask(POLICY_ANY_IDENTITY);
  return answer?.verdict === PolicyVerdict.ALLOW;
}
