import type { Address } from "../../model/address/address.ts";
import { hash32 } from "../../model/hash.ts";
import { Memo } from "../../model/memo.ts";
import {
  type Endpoint,
  type Location,
  LocationFlag,
  POLICY_REVISION_UNSETTLED,
  type Prefix,
} from "../kernel/layout.gen.ts";
import type { Contribution, Contributions, Entry } from "./desired.ts";
import { keyText } from "./key.ts";

// Revisions say when connections are judged again. Policies and identities are numbered by their content, so it is enough to look
// at the numbers. Revisions are sums of hashes, so the order of entries does not matter.

type Locations = Contributions<Prefix, Location>;

const sums = new Memo<Locations, LocationSums>();
const ofPolicies = new Memo<ReadonlySet<number>, number>();
const hashes = new WeakMap<object, number>();

interface LocationSums {
  /** Over the addresses that have this identity. */
  readonly byIdentity: ReadonlyMap<number, number>;
  /** Over the addresses of this node, which its workloads reach whatever their policies say. */
  readonly localHost: number;
}

/** A number that changes with an endpoint's policy, and with every address whose identity that policy distinguishes.
 *
 * @param distinguished identities; undefined: the endpoint has no policy
 * @returns never 0, which stands for an endpoint on another node (bpf/policy/judge.h) */
export function endpointRevision(
  address: Address,
  { policy, flags }: Pick<Endpoint, "policy" | "flags">,
  distinguished: ReadonlySet<number> | undefined,
  locations: Locations,
): number {
  const peers = distinguished
    ? ofPolicies.get(distinguished, [locations], () => peersRevision(distinguished, locations))
    : 0;
  return (hash32(`${address} ${policy} ${flags}`) + peers) >>> 0 || 1;
}

/** A number that changes with the revision of every endpoint of this node; never 0, nor one that stands for a part
 * (reconcile/write-order.ts). */
export function policyRevision(endpoints: readonly Contribution<Address | number, Endpoint>[]): number {
  let sum = 0;
  for (const { entries } of endpoints) {
    for (const { key, value } of entries) sum = (sum + hash32(`${key} ${value.revision}`)) >>> 0;
  }
  return (sum & ~POLICY_REVISION_UNSETTLED) >>> 0 || POLICY_REVISION_UNSETTLED << 1;
}

function peersRevision(distinguished: ReadonlySet<number>, locations: Locations): number {
  const { byIdentity, localHost } = sums.get(locations, [], () => sumsOf(locations));
  let sum = localHost;
  for (const identity of distinguished) sum = (sum + (byIdentity.get(identity) ?? 0)) >>> 0;
  return sum;
}

function sumsOf(locations: Locations): LocationSums {
  const byIdentity = new Map<number, number>();
  let localHost = 0;
  for (const { entries } of locations) {
    for (const entry of entries) {
      const { identity, flags } = entry.value;
      if (identity !== 0) byIdentity.set(identity, ((byIdentity.get(identity) ?? 0) + hashOf(entry)) >>> 0);
      if (flags & LocationFlag.LOCAL_HOST) localHost = (localHost + hashOf(entry)) >>> 0;
    }
  }
  return { byIdentity, localHost };
}

/** Remembered: most entries are those of the previous compilation. */
function hashOf(entry: Entry<Prefix, Location>): number {
  let hash = hashes.get(entry);
  if (hash === undefined) {
    hash = hash32(`${keyText.locations(entry.key)} ${entry.value.identity}`);
    hashes.set(entry, hash);
  }
  return hash;
}
