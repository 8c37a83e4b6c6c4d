import { hash32 } from "../../model/hash.ts";
import type { Entry, WrittenMap } from "../compile/desired.ts";
import { keyText } from "../compile/key.ts";
import type { KeyOf, ValueOf } from "../kernel/layout.gen.ts";
import type { DeltaMap } from "./delta-map.ts";

export type Deltas = { readonly [M in WrittenMap]: DeltaMap<KeyOf<M>, ValueOf<M>> };

/** One kind of write. The packet path reads while we write, so the order is what keeps every moment consistent. */
export interface Step<M extends WrittenMap = WrittenMap> {
  readonly map: M;
  readonly verb: "update" | "delete";
  readonly why: string;
  /** Entries that must wait because something they rely on could not be written; they stay pending. */
  readonly waits?: (deltas: Deltas) => (entry: Entry<KeyOf<M>, ValueOf<M>>) => boolean;
  /** What is written in place of the desired value until everything it tells of is there. */
  readonly meanwhile?: (deltas: Deltas) => (value: ValueOf<M>, actual: ValueOf<M> | undefined) => ValueOf<M>;
}

function step<M extends WrittenMap>(
  verb: Step["verb"],
  map: M,
  why: string,
  waits?: Step<M>["waits"],
  meanwhile?: Step<M>["meanwhile"],
): Step {
  // Each step's functions see entries of its own map only: the reconciler takes both from the same field.
  return { map, verb, why, ...(waits && { waits }), ...(meanwhile && { meanwhile }) } as unknown as Step;
}

/** What is referred to comes before what refers to it; removal goes the other way round. */
export const writeOrder: readonly Step[] = [
  step("update", "backends", "slots will name them"),
  step("update", "members", "who is given a backend by a slot may keep it"),
  step(
    "update",
    "slots",
    "a service counts only slots that are there",
    ({ backends, members }) =>
      ({ key: { service }, value: backend }) =>
        backends.actual(keyText.backends(backend)) === undefined ||
        members.actual(keyText.members({ service, backend })) === undefined,
  ),
  // A set that lacks an entry admits fewer: services do not wait for it, or an older list, or none, would stay in force.
  step("update", "sourceRanges", "services will name the whole set", ({ services }) => {
    // Numbers are hashes, which anybody can make meet: one that means another set to somebody must be given up first.
    const leaving = services.pendingUpdates().flatMap(({ id, value }) => {
      const actual = services.actual(id);
      return actual && actual.sourceRanges !== value.sourceRanges ? [actual.sourceRanges] : [];
    });
    const left = new Set([...leaving, ...services.pendingDeletions().map(({ value }) => value.sourceRanges)]);
    return ({ key }) => left.has(key.set);
  }),
  step(
    "update",
    "services",
    "every slot they count is written",
    (deltas) => {
      const lacking = lackingSlots(deltas);
      const stale = new Set(deltas.sourceRanges.pendingDeletions().map(({ key }) => key.set));
      return ({ id, value }) => {
        if (stale.has(value.sourceRanges)) return true; // a number that still means what it meant to others
        const actual = deltas.services.actual(id);
        return lacking.has(value.id) && (!actual || actual.sourceRanges === value.sourceRanges);
      };
    },
    // Whom it keeps out does not wait for its backends.
    (deltas) => {
      const lacking = lackingSlots(deltas);
      return (value, actual) =>
        actual && lacking.has(value.id) ? { ...actual, sourceRanges: value.sourceRanges } : value;
    },
  ),
  step("update", "policies", "identities and endpoints will name them; under new numbers, so nobody sees half of one"),
  step("update", "locations", "an address shows an identity only when every policy knows it", ({ policies }) => {
    const unknown = new Set(policies.pendingUpdates().map(({ key }) => key.identity));
    return ({ value }) => unknown.has(value.identity);
  }),
  step("update", "endpoints", "an endpoint gets traffic only under a complete policy", ({ policies }) => {
    const incomplete = new Set(policies.pendingUpdates().map(({ key }) => key.policy));
    return ({ value }) => incomplete.has(value.policy);
  }),
  step(
    "update",
    "interfaces",
    "a workload may send once its endpoint can be judged",
    ({ endpoints }) =>
      ({ value }) =>
        endpoints.actual(keyText.endpoints(value)) === undefined,
  ),
  step("update", "namespaces", "until then its sockets are a stranger's, who has the same services"),

  step("delete", "namespaces", "its sockets are gone with it"),
  step("delete", "interfaces", "nothing more is sent in the name of an endpoint that goes"),
  step("delete", "endpoints", "nothing more is delivered to it"),
  step("delete", "locations", "its address is nobody's"),
  step("delete", "policies", "no endpoint and no address names them any more", ({ endpoints, locations }) => {
    const inForce = new Set(endpoints.staleValues().map(({ value }) => value.policy));
    const known = new Set(locations.staleValues().map(({ value }) => value.identity));
    return ({ key }) => inForce.has(key.policy) || known.has(key.identity);
  }),
  step("delete", "services", "before the slots they count"),
  step("delete", "sourceRanges", "no service names the set any more", ({ services }) => {
    const named = new Set(services.staleValues().map(({ value }) => value.sourceRanges));
    return ({ key }) => named.has(key.set);
  }),
  step("delete", "slots", "nobody counts them any more", ({ services }) => {
    const counted = new Map<number, number>();
    for (const { value } of services.staleValues()) {
      counted.set(value.id, Math.max(value.backendCount, counted.get(value.id) ?? 0));
    }
    return ({ key }) => key.index < (counted.get(key.service) ?? 0);
  }),
  step("delete", "members", "nobody is given them by this service any more", ({ slots }) => {
    const named = new Set(
      slots.staleValues().map(({ key: { service }, value: backend }) => keyText.members({ service, backend })),
    );
    return ({ id }) => named.has(id);
  }),
  step("delete", "backends", "no slot names them any more", ({ slots }) => {
    const named = new Set(slots.staleValues().map(({ value }) => value));
    return ({ key }) => named.has(key);
  }),

  step(
    "update",
    "settings",
    "the new policy revision has every connection judged again, by what is written now",
    undefined,
    (deltas) => (value) => ({ ...value, policyRevision: writtenRevision(deltas, value.policyRevision) }),
  ),
];

/** Services with slots that are not written: found by what is pending, since many frontends may count the same slots. */
function lackingSlots({ slots }: Deltas): ReadonlySet<number> {
  return new Set(slots.pendingUpdates().map(({ key }) => key.service));
}

/** The revision of what the maps hold. Where all is as it should be it is the desired one. While something could not be
 * written it is another, which depends on what that is: connections are judged again by the part that is there, and once
 * more with each part that follows. The desired one would let them keep, for good, a verdict of before. */
function writtenRevision({ endpoints, locations }: Deltas, desired: number): number {
  let revision = desired;
  const late = (text: string) => {
    revision = (revision + hash32(text)) >>> 0;
  };
  for (const id of endpoints.pendingIds()) {
    const actual = endpoints.actual(id);
    late(`${id} holds ${actual?.policy} ${actual?.flags}`);
  }
  for (const id of locations.pendingIds()) late(`${id} holds ${locations.actual(id)?.identity}`);
  return revision;
}

/** On the way through a stage (`DesiredMaps.through`): nothing goes, and nothing is judged again yet. */
export const passingOrder: readonly Step[] = writeOrder.filter(
  ({ verb, map }) => verb === "update" && map !== "settings",
);
