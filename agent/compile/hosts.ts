import { hash32 } from "../../model/hash.ts";
import { defaultConfiguration } from "../../model/mode/configuration.ts";
import type { FelixConfiguration } from "../../model/objects/calico.ts";
import type { EndpointPolicy } from "../../model/policy/endpoint-policy.ts";
import { type Failsafe as FailsafePort, failsafesOf } from "../../model/policy/failsafes.ts";
import {
  type HostDirectory,
  type HostSubject,
  type HostTraffic,
  hostTraffics,
} from "../../model/policy/host-directory.ts";
import {
  ANY_INTERFACE,
  Direction,
  type Endpoint,
  EndpointFlag,
  type Failsafe,
  FROM_WORKLOADS,
  HostStage,
  type JudgedHost,
} from "../kernel/layout.gen.ts";
import { type Contribution, type Entry, entriesOf, type MapContents } from "./desired.ts";
import { isolation } from "./endpoints.ts";
import { keyText } from "./key.ts";
import type { PolicyMap } from "./policies.ts";
import { endpointRevision, type LocationSums } from "./revisions.ts";
import type { NodeFacts } from "./snapshot.ts";

/** What policies say of the node itself. */
export type HostMaps = Pick<MapContents, "hostEndpoints" | "failsafes">;

type HostContribution = Contribution<JudgedHost, Endpoint>;

export const NO_HOST_POLICIES: HostMaps = { hostEndpoints: [], failsafes: [] };

/** What judges the node, and by which policies. */
export interface JudgedHosts extends Pick<HostDirectory, "own" | "subjects"> {
  policyOf(host: HostSubject): EndpointPolicy | undefined;
  readonly policies: PolicyMap;
  readonly sums: LocationSums;
  /** Whether flows of the node itself are to be known even if no policy is about them: staged ones are. */
  readonly isWatched: boolean;
}

const NO_MAC = "00:00:00:00:00:00";
/** Of IPv4, in the map's form. */
const EVERYBODY = { prefixLength: 32, peer: "::" };

const STAGES: Readonly<Record<HostTraffic, HostStage>> = {
  own: HostStage.OWN,
  forwarded: HostStage.FORWARDED,
  preDNAT: HostStage.PRE_DNAT,
  doNotTrack: HostStage.UNTRACKED,
};

/** An entry for each interface of the node and each stage that something is said of. Where nothing is judged, or watched for staged policies, there
 * is none at all, so that packets cost nothing. */
export function compileHosts(
  { own, subjects, policyOf, policies, sums, isWatched }: JudgedHosts,
  configurations: readonly FelixConfiguration[],
  facts: NodeFacts,
): HostMaps {
  const configuration = defaultConfiguration(configurations);
  const failsafes = [
    ...new Map(
      failsafesOf(configuration, facts)
        .map(failsafeEntry)
        .map((entry) => [keyText.failsafes(entry.key), entry]),
    ).values(),
  ];
  const failsafesText = failsafes.map(({ key }) => keyText.failsafes(key)).join();
  const entry = (ifindex: number, subject: HostSubject): HostContribution => {
    const policy = policyOf(subject);
    const key = { interface: ifindex, stage: STAGES[subject.traffic] };
    const judged = {
      policy: policy ? policies.idOf(policy) : 0,
      flags: policy ? isolation(policy) | byOwnEnd(policy) : 0,
    };
    const { owner } = subject.host;
    const name = `${owner} ${keyText.hostEndpoints(key)} ${hash32(failsafesText)}`;
    const revision = endpointRevision(name, judged, policy ? policies.distinguishedBy(policy) : [], sums);
    return one(owner, key, { ...judged, revision });
  };
  const action = configuration?.spec.defaultEndpointToHostAction ?? "Accept";
  const places = [
    ...[...own.byInterface].map(([{ ifindex }, host]) => [ifindex, host] as const),
    ...(own.others ? [[ANY_INTERFACE, own.others] as const] : []),
  ];
  const stageOf = (traffic: HostTraffic): HostContribution[] => {
    const found = places.flatMap(([ifindex, host]) =>
      [...subjects.keys()].flatMap((one) =>
        one.host === host && one.traffic === traffic ? [entry(ifindex, one)] : [],
      ),
    );
    // An interface with its own host endpoint is not judged by that of the others, so it needs an entry wherever one has.
    const isAsked = entriesOf(found).some(({ value }) => value.flags !== 0);
    return isAsked || (isWatched && traffic === "own") ? found : [];
  };
  const ownOfOthers = [...subjects.keys()].find(({ host, traffic }) => host === own.others && traffic === "own");
  const hostEndpoints = [
    ...hostTraffics.flatMap(stageOf),
    ...(action === "Return" && ownOfOthers ? [entry(FROM_WORKLOADS, ownOfOthers)] : []),
    ...(action === "Drop" ? [CLOSED_TO_WORKLOADS] : []),
  ];
  if (!isWatched && entriesOf(hostEndpoints).every(({ value }) => value.flags === 0)) return NO_HOST_POLICIES;
  return { hostEndpoints, failsafes: [{ owner: "fail-safe ports", entries: failsafes }] };
}

function byOwnEnd(policy: EndpointPolicy): number {
  return policy.byOwnEnd ? EndpointFlag.BY_OWN_SIDE : 0;
}

const CLOSED_TO_WORKLOADS = one(
  "defaultEndpointToHostAction",
  { interface: FROM_WORKLOADS, stage: HostStage.OWN },
  {
    policy: 0,
    flags: EndpointFlag.INGRESS_ISOLATED | EndpointFlag.WITHOUT_FAILSAFES,
    revision: 1,
  },
);

function one(owner: string, key: JudgedHost, value: Pick<Endpoint, "policy" | "flags" | "revision">): HostContribution {
  const whole = { ...value, ifindex: 0, mac: NO_MAC, hostMac: NO_MAC };
  return { owner, entries: [{ key, value: whole }] };
}

function failsafeEntry({ direction, protocol, port, net }: FailsafePort): Entry<Failsafe, number> {
  const peer = net ? { prefixLength: 32 + net.prefixLength, peer: net.address } : EVERYBODY;
  const key = { ...peer, direction: direction === "ingress" ? Direction.INGRESS : Direction.EGRESS, protocol, port };
  return { key, value: 1 };
}
