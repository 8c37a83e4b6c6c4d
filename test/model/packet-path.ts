// The lookups by which the packet path judges a packet, as bpf/shared/policy.h and location.h
// describe them, on the same bytes as in the kernel.
import { encodeOne } from "../../agent/kernel/codec.ts";
import {
  Direction,
  EndpointFlag,
  POLICY_ANY_IDENTITY,
  POLICY_SOURCE_PORT,
  type PolicyKey,
  type PolicyValue,
  PolicyVerdict,
} from "../../agent/kernel/layout.gen.ts";
import type { MapStore, MapStores } from "../../agent/kernel/map-store.ts";

export interface Packet {
  source: string;
  destination: string;
  /** IP protocol number */
  protocol: number;
  /** of the destination; of ICMP type << 8 | code; 0 where the protocol has neither */
  port: number;
  sourcePort?: number;
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
  { protocol, port, sourcePort }: Packet,
  direction: number,
  isolated: number,
): boolean | undefined {
  const endpoint = maps.endpoints.lookup(subject);
  if (!endpoint) return undefined;
  if ((endpoint.flags & isolated) === 0) return true;
  const known = longestMatch(maps.locations, { prefixLength: 128, address: peer });
  const key = { prefixLength: 96, policy: endpoint.policy, direction, protocol, port };
  return answerOf(maps.policies, key, known?.identity ?? 0, sourcePort)?.verdict === PolicyVerdict.ALLOW;
}

/** What a compiled policy says, as bpf/policy/judge.h asks it. */
export function answerOf(
  policies: MapStore<PolicyKey, PolicyValue>,
  key: Omit<PolicyKey, "identity">,
  identity: number,
  sourcePort = 0,
): PolicyValue | undefined {
  const ask = (one: number) => longestMatch(policies, { ...key, identity: one });
  const answer = ask(identity) ?? ask(POLICY_ANY_IDENTITY);
  if (answer?.verdict !== PolicyVerdict.BY_SOURCE_PORT) return answer;
  const table = { identity: answer.rule, direction: key.direction | POLICY_SOURCE_PORT, port: sourcePort };
  return longestMatch(policies, { ...key, ...table });
}
