import { hash32 } from "../../model/hash.ts";
import { keyText } from "../compile/key.ts";
import {
  type Endpoint,
  EndpointFlag,
  type Location,
  LocationFlag,
  POLICY_REVISION_UNSETTLED,
  TABLE_FIRST,
} from "../kernel/layout.gen.ts";
import { addressesOfWorkload } from "../kernel/workload.ts";
import type { DeltaMap } from "./delta-map.ts";
import { type Deltas, type Step, step } from "./step.ts";

/** An entry is written before the entries that refer to it; removal is the other way round. */
export const writeOrder: readonly Step[] = [
  step(
    "update",
    "settings",
    "a connection that is judged before everything is written is judged again afterwards",
    ({ settings }) =>
      ({ key }) =>
        !settings.has(key),
    (deltas) =>
      (value, actual = value) => ({
        ...actual,
        policyRevision: unsettledRevision(deltas, value.policyRevision) ?? actual.policyRevision,
      }),
  ),
  step("update", "backends", "slots will refer to them"),
  step("update", "members", "a connection that a slot assigned to a backend may keep it"),
  step(
    "update",
    "slots",
    "a service counts only existing slots",
    ({ backends, members }) =>
      ({ key: { backendList }, value: backend }) =>
        !backends.has(backend) || !members.has({ backendList, backend }),
  ),
  // An incomplete set admits fewer sources. Services do not wait for it: otherwise an older list, or none, would stay in force.
  step("update", "sourceRanges", "frontends will refer to the whole set", ({ frontends }) => {
    // Set numbers are hashes, and a user can construct a collision: services must first leave a number that now means another set.
    const left = new Set<number>();
    for (const { key, value } of frontends.pendingUpdates()) {
      const actual = frontends.actual(key);
      if (actual && actual.sourceRanges !== value.sourceRanges) left.add(actual.sourceRanges);
    }
    for (const { value } of frontends.pendingDeletions()) left.add(value.sourceRanges);
    return ({ key }) => left.has(key.set);
  }),
  step(
    "update",
    "frontends",
    "every slot they count is written",
    (deltas) => {
      const lacking = lackingSlots(deltas);
      const stale = setOf(deltas.sourceRanges.pendingDeletions(), ({ key }) => key.set);
      return ({ key, value }) => {
        if (stale.has(value.sourceRanges)) return true; // the number still has entries of another service's set
        const actual = deltas.frontends.actual(key);
        return lacking.has(value.backendList) && (!actual || actual.sourceRanges === value.sourceRanges);
      };
    },
    // Source ranges do not wait for backends.
    (deltas) => {
      const lacking = lackingSlots(deltas);
      return (value, actual) =>
        actual && lacking.has(value.backendList) ? { ...actual, sourceRanges: value.sourceRanges } : value;
    },
  ),
  step(
    "update",
    "policies",
    "identities and endpoints will refer to them; new numbers, so no packet sees a partial policy",
  ),
  step("update", "locations", "an address shows an identity only when every policy knows it", (deltas) => {
    const unknown = setOf(deltas.policies.pendingUpdates(), ({ key }) => key.identity);
    const held = hasOldPolicies(deltas);
    return ({ key, value }) => {
      if (unknown.has(value.identity)) return true;
      const actual = deltas.locations.actual(key);
      return held && (actual ? actual.identity !== value.identity : !isWorkload(value));
    };
  }),
  step("update", "uplinks", "an endpoint's first packets leave the cluster with the right address, too"),
  step("update", "egressWays", "groups will refer to them"),
  step(
    "update",
    "egressGroups",
    "an endpoint's first packets leave the cluster by its gateway, too",
    ({ egressWays }) => {
      const incomplete = setOf(egressWays.pendingUpdates(), ({ key }) => key.group);
      return ({ value }) => incomplete.has(value);
    },
  ),
  step("update", "bandwidths", "an endpoint's first packets are limited, too"),
  step("update", "endpoints", "an endpoint gets traffic only under a complete policy", ({ policies }) => {
    const incomplete = setOf(policies.pendingUpdates(), ({ key }) => key.policy);
    return ({ value }) => incomplete.has(value.policy);
  }),
  step("update", "failsafes", "host policies that would refuse them come afterwards"),
  step("update", "hostEndpoints", "the node is judged only by a complete policy", ({ policies }) => {
    const incomplete = setOf(policies.pendingUpdates(), ({ key }) => key.policy);
    return ({ value }) => isIncomplete(value, incomplete);
  }),
  step(
    "update",
    "interfaces",
    "a workload may send once its endpoint can be judged",
    ({ endpoints }) =>
      ({ value }) =>
        addressesOfWorkload(value).some((address) => !endpoints.has(address)),
  ),
  step("update", "namespaces", "until then its sockets count as unknown, with the same services"),

  step("delete", "namespaces", "its sockets no longer exist"),
  step("delete", "interfaces", "nothing more is sent for an endpoint that is being removed"),
  step("delete", "endpoints", "nothing more is delivered to it"),
  step("delete", "bandwidths", "its workload is gone, or not limited any more"),
  step("delete", "egressGroups", "no gateway has it any more"),
  step("delete", "egressWays", "no group refers to them any more", ({ egressGroups }) => {
    const named = setOf(egressGroups.staleValues(), ({ value }) => value);
    return ({ key }) => named.has(key.group);
  }),
  step("delete", "uplinks", "nothing leaves by it any more"),
  step("delete", "hostEndpoints", "the node has no policy there any more"),
  step("delete", "failsafes", "no host policy asks for them any more, or they are no longer to be kept open"),
  step("delete", "locations", "its address has no owner", (deltas) => {
    const held = hasOldPolicies(deltas);
    return ({ value }) => held && !isWorkload(value);
  }),
  step(
    "delete",
    "policies",
    "no endpoint and no address refers to them any more",
    ({ endpoints, hostEndpoints, locations }) => {
      const stale = [...endpoints.staleValues(), ...hostEndpoints.staleValues()];
      const inForce = setOf(stale, ({ value }) => value.policy);
      const known = setOf(locations.staleValues(), ({ value }) => value.identity);
      const hasOthers = stale.some(({ value }) => refersToOthers(value));
      return ({ key }) => hasOthers || inForce.has(key.policy) || known.has(key.identity);
    },
  ),
  step("delete", "frontends", "before the slots they count"),
  step("delete", "sourceRanges", "no service refers to the set any more", ({ frontends }) => {
    const named = setOf(frontends.staleValues(), ({ value }) => value.sourceRanges);
    return ({ key }) => named.has(key.set);
  }),
  step("delete", "slots", "no service counts them any more", ({ frontends }) => {
    const [counted, tables] = [new Map<number, number>(), new Map<number, number>()];
    for (const { value } of frontends.staleValues()) {
      counted.set(value.backendList, Math.max(value.backendCount, counted.get(value.backendList) ?? 0));
      tables.set(value.backendList, Math.max(value.tableSize, tables.get(value.backendList) ?? 0));
    }
    return ({ key }) =>
      key.index < TABLE_FIRST
        ? key.index < (counted.get(key.backendList) ?? 0)
        : key.index - TABLE_FIRST < (tables.get(key.backendList) ?? 0);
  }),
  step("delete", "members", "this service no longer assigns connections to them", ({ slots }) => {
    const named = setOf(slots.staleValues(), ({ key: { backendList }, value: backend }) =>
      keyText.members({ backendList, backend }),
    );
    return ({ key }) => named.has(keyText.members(key));
  }),
  step("delete", "backends", "no slot refers to them any more", ({ slots }) => {
    const named = setOf(slots.staleValues(), ({ value }) => value);
    return ({ key }) => named.has(key);
  }),

  step(
    "update",
    "settings",
    "the new policy revision has every connection judged again, by the content now written",
    undefined,
    (deltas) => (value) => ({ ...value, policyRevision: writtenRevision(deltas, value.policyRevision) }),
  ),
];

/** Whether an endpoint keeps an older policy because its new one could not be written. That policy knows the identities that addresses have
 * now: with others it would take whom it refuses for somebody else. Only pods may come and go meanwhile. */
function hasOldPolicies({ policies, endpoints, hostEndpoints }: Deltas): boolean {
  const incomplete = setOf(policies.pendingUpdates(), ({ key }) => key.policy);
  if (incomplete.size === 0) return false;
  const isHeld = <K>(delta: DeltaMap<K, Endpoint>) =>
    Array.from(delta.pendingUpdates()).some(({ key, value }) => delta.has(key) && isIncomplete(value, incomplete));
  return isHeld(endpoints) || isHeld(hostEndpoints);
}

/** Its policy refers to others, which are not looked for: all are to be complete. */
function refersToOthers({ flags }: Endpoint): boolean {
  return (flags & EndpointFlag.BY_OWN_SIDE) !== 0;
}

/** @param policies that lack entries */
function isIncomplete(endpoint: Endpoint, policies: ReadonlySet<number>): boolean {
  return policies.has(endpoint.policy) || (policies.size > 0 && refersToOthers(endpoint));
}

function isWorkload({ flags }: Location): boolean {
  return (flags & LocationFlag.WORKLOAD) !== 0;
}

/** Lists with slots that are not written: found by what is pending, since many frontends may count the same slots. */
function lackingSlots({ slots }: Deltas): ReadonlySet<number> {
  return setOf(slots.pendingUpdates(), ({ key }) => key.backendList);
}

function setOf<T, R>(items: Iterable<T>, of: (item: T) => R): Set<R> {
  const found = new Set<R>();
  for (const item of items) found.add(of(item));
  return found;
}

/** The revision of the maps' content: the desired one when everything is written. With that one, connections would keep for
 * good a verdict that was reached by a part. */
function writtenRevision(deltas: Deltas, desired: number): number {
  return unsettledRevision(deltas, desired) ?? desired;
}

/** The revision while entries that verdicts depend on are pending; undefined: none is. It depends on these entries, so
 * connections are judged again after each later write, and it is never a desired one, which a policy that comes back has
 * again. */
function unsettledRevision({ endpoints, hostEndpoints, locations }: Deltas, desired: number): number | undefined {
  const late = [
    ...judgedText(endpoints, keyText.endpoints),
    ...judgedText(hostEndpoints, keyText.hostEndpoints),
    ...Array.from(
      locations.pendingKeys(),
      (key) => `${keyText.locations(key)} holds ${locations.actual(key)?.identity}`,
    ),
  ];
  if (late.length === 0) return undefined;
  const revision = late.reduce((sum, text) => (sum + hash32(text)) >>> 0, desired);
  return (revision | POLICY_REVISION_UNSETTLED) >>> 0;
}

/** What the map still has for the endpoints that are to be written. */
function judgedText<K>(delta: DeltaMap<K, Endpoint>, text: (key: K) => string): string[] {
  return Array.from(delta.pendingKeys(), (key) => {
    const actual = delta.actual(key);
    return `${text(key)} holds ${actual?.policy} ${actual?.flags}`;
  });
}

/** Within an intermediate stage (`DesiredMaps.through`): nothing is removed, and no revision is settled yet. */
export const passingOrder: readonly Step[] = writeOrder.slice(
  0,
  writeOrder.findIndex(({ verb }) => verb === "delete"),
);
