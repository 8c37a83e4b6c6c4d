import type { Address } from "../../model/address/address.ts";
import { changesBetween } from "../../model/changes.ts";
import { hash32 } from "../../model/hash.ts";
import { Memo } from "../../model/memo.ts";
import { each, type Steps } from "../../model/steps.ts";
import {
  type Endpoint,
  HostStage,
  type Location,
  LocationFlag,
  POLICY_REVISION_UNSETTLED,
  type Prefix,
} from "../kernel/layout.gen.ts";
import { type Contributions, type Entry, entriesOf, type MapContents } from "./desired.ts";
import type { Distinguished } from "./judged-policy.ts";
import { keyText } from "./key.ts";

// Revisions say when connections are judged again. Policies are numbered by their content, and of an address only counts what a policy
// says of it: one that gets another identity under which the same verdicts are written has nothing judged again. Revisions are sums of
// hashes, so the order of entries does not matter.

type Locations = Contributions<Prefix, Location>;

const ofPolicies = new Memo<Distinguished, number>();
const hashes = new WeakMap<object, number>();

/** Of one version of the map; the very same object where nothing changed. */
export interface LocationSums {
  /** Over the addresses that have this identity, whatever its number. */
  readonly byIdentity: ReadonlyMap<number, number>;
  /** Over the addresses of this node, which its workloads reach whatever their policies say. */
  readonly localHost: number;
}

/** The sums of one version after the other, at the cost of what changed. */
export class RunningSums {
  #locations: Locations = [];
  #sums: LocationSums = { byIdentity: new Map(), localHost: 0 };

  *updating(locations: Locations): Steps<LocationSums> {
    const { gone, come } = changesBetween(this.#locations, locations);
    if (gone.length + come.length > 0) {
      const byIdentity = new Map(this.#sums.byIdentity);
      let { localHost } = this.#sums;
      const count = (entry: Entry<Prefix, Location>, sign: 1 | -1) => {
        const { identity, flags } = entry.value;
        const plus = (sum: number) => (sum + sign * hashOf(entry)) >>> 0;
        if (identity !== 0) byIdentity.set(identity, plus(byIdentity.get(identity) ?? 0));
        if (flags & LocationFlag.LOCAL_HOST) localHost = plus(localHost);
      };
      yield* each(gone, ({ entries }) => {
        for (const entry of entries) count(entry, -1);
        // Nobody has it any more. Where the sum of somebody's hashes is 0, none says the same.
        for (const { value } of entries) if (byIdentity.get(value.identity) === 0) byIdentity.delete(value.identity);
      });
      yield* each(come, ({ entries }) => {
        for (const entry of entries) count(entry, 1);
      });
      this.#sums = { byIdentity, localHost };
    }
    this.#locations = locations;
    return this.#sums;
  }
}

/** A number that changes with an endpoint's policy, and with what that policy says of any address.
 *
 * @param distinguished none: the endpoint has no policy
 * @returns never 0, which stands for an endpoint on another node (bpf/policy/judge.h) */
export function endpointRevision(
  address: Address,
  { policy, flags }: Pick<Endpoint, "policy" | "flags">,
  distinguished: readonly Distinguished[],
  sums: LocationSums,
): number {
  const peers = distinguished.map((one) => ofPolicies.get(one, [sums], () => peersRevision(one, sums)));
  const ofPeers = peers.reduce((sum, each) => Math.imul(sum, 31) + each, 0);
  return (hash32(`${address} ${policy} ${flags}`) + ofPeers) >>> 0 || 1;
}

/** A number that changes with the revision of every endpoint of this node; never 0, nor one that stands for a part
 * (reconcile/write-order.ts). */
export function policyRevision({ endpoints, hostEndpoints }: Pick<MapContents, "endpoints" | "hostEndpoints">): number {
  const pods = entriesOf(endpoints);
  const sum =
    (revisionsOf(pods, keyText.endpoints) + revisionsOf(entriesOf(hostEndpoints), keyText.hostEndpoints)) >>> 0;
  return (sum & ~POLICY_REVISION_UNSETTLED) >>> 0 || POLICY_REVISION_UNSETTLED << 1;
}

/** The same of what host endpoints say of other packets than the node's own; 0: they say nothing. */
export function hostRevision({ hostEndpoints }: Pick<MapContents, "hostEndpoints">): number {
  const others = entriesOf(hostEndpoints).filter(({ key }) => key.stage !== HostStage.OWN);
  if (others.length === 0) return 0;
  return (1 + revisionsOf(others, keyText.hostEndpoints)) >>> 0 || 1;
}

function revisionsOf<Key>(entries: readonly Entry<Key, Endpoint>[], text: (key: Key) => string): number {
  return entries.reduce((sum, { key, value }) => (sum + hash32(`${text(key)} ${value.revision}`)) >>> 0, 0);
}

function peersRevision(distinguished: Distinguished, { byIdentity, localHost }: LocationSums): number {
  const byVerdicts = new Map<number, number>();
  for (const [identity, verdicts] of distinguished) {
    const sum = byIdentity.get(identity);
    if (sum) byVerdicts.set(verdicts, ((byVerdicts.get(verdicts) ?? 0) + sum) >>> 0);
  }
  let revision = localHost;
  for (const [verdicts, sum] of byVerdicts) if (sum) revision = (revision + hash32(`${verdicts} ${sum}`)) >>> 0;
  return revision;
}

/** Remembered: most entries are those of the previous compilation. */
function hashOf(entry: Entry<Prefix, Location>): number {
  let hash = hashes.get(entry);
  if (hash === undefined) {
    hash = hash32(keyText.locations(entry.key));
    hashes.set(entry, hash);
  }
  return hash;
}
