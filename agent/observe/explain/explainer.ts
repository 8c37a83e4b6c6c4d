// Why a flow would be allowed or refused on this node: the answer of the maps, and the tiers and rules that they were made from.
import { type Address, familyOf, hostCidr } from "../../../model/address/address.ts";
import { explain, type TierAnswer } from "../../../model/policy/explain.ts";
import { ANYBODY, type Peer } from "../../../model/policy/judge.ts";
import { ICMP, ICMPV6 } from "../../../model/protocol.ts";
import { ANY_NODE } from "../../../model/service/frontend.ts";
import { prefixOf } from "../../compile/addresses.ts";
import type { NumberContents } from "../../compile/desired.ts";
import {
  ANY_INTERFACE,
  Direction,
  type Endpoint,
  EndpointFlag,
  FROM_WORKLOADS,
  LocationFlag,
  POLICY_ANY_IDENTITY,
  POLICY_SOURCE_PORT,
  PolicyVerdict,
  type Service,
  SettingsFlag,
} from "../../kernel/layout.gen.ts";
import type { MapStores } from "../../kernel/map-store.ts";
import type { StagedVerdict } from "../flows/staged-verdicts.ts";
import { isInSet, type Leg, rangesOf, routeOf } from "./route.ts";

/** A flow before translation: `to` may be a service's. */
export interface Asked {
  readonly from: Address;
  readonly to: Address;
  readonly protocol: number;
  /** Of ICMP: type << 8 | code. */
  readonly port: number;
  readonly sourcePort: number;
}

/** What the policy of one end of the flow says. */
export interface EndAnswer {
  readonly direction: "egress" | "ingress";
  readonly node: string;
  /** "pod shop/web" */
  readonly end: string;
  /** The objects that apply to it. */
  readonly policies: string;
  /** What policies can tell of the other end: its selectors and blocks. */
  readonly peer: readonly string[];
  readonly tiers: readonly TierAnswer[];
  readonly verdict: "allow" | "deny";
  /** Of a denial, and of what no tier decided. */
  readonly reason: string;
  /** The maps say something else at the moment: a change is not written yet. */
  readonly differs?: true;
}

/** One way that the flow can take. */
export interface WayAnswer {
  readonly to: { readonly address: Address; readonly port: number; readonly name: string };
  /** "to node node, wrapped in VXLAN"; absent where the flow begins on another node. */
  readonly route?: string;
  /** What staged policies would decide; absent: none is staged. */
  readonly staged?: StagedVerdict;
  /** Of the ends on this node. */
  readonly ends: readonly EndAnswer[];
}

export interface NodeAnswer {
  readonly node: string;
  readonly from: { readonly address: Address; readonly name: string };
  /** "default/web:http"; absent: it is no service's address here. */
  readonly service?: string;
  /** Of a Service with source ranges. */
  readonly sourceRanges?: { readonly ranges: readonly string[]; readonly allows: boolean };
  /** One for each backend of a service, at most `MOST_BACKENDS`; none: the service has none, and refuses. */
  readonly ways: readonly WayAnswer[];
}

export interface ExplainerParts {
  readonly node: string;
  readonly maps: Pick<
    MapStores,
    | "endpoints"
    | "hostEndpoints"
    | "failsafes"
    | "locations"
    | "policies"
    | "settings"
    | "frontends"
    | "slots"
    | "backends"
    | "sourceRanges"
  >;
  readonly contents: () => NumberContents;
  readonly names: {
    owner(address: Address): string | undefined;
    service(address: Address, port: number, protocol: number): string | undefined;
    policy(number: number): string;
  };
}

const MOST_BACKENDS = 8;
const WHOLE_KEY = 96; // bits of policy_key behind its prefix length

export class Explainer {
  readonly #parts: ExplainerParts;

  constructor(parts: ExplainerParts) {
    this.#parts = parts;
  }

  explain(asked: Asked): NodeAnswer {
    const { node, names } = this.#parts;
    const from = { address: asked.from, name: this.#name(asked.from) };
    const service = this.#serviceAt(asked);
    const ends = service ? this.#backends(service) : [{ address: asked.to, port: asked.port }];
    const ways = ends.map(({ address, port }) => ({
      to: { address, port, name: this.#name(address) },
      ...this.#route({ from: asked.from, to: address, service }),
      ends: this.#ends({ ...asked, to: address, port }),
    }));
    const name = names.service(asked.to, asked.port, asked.protocol) ?? `${asked.to} port ${asked.port}`;
    return { node, from, ...(service && { service: name, ...this.#rangesFor(service, asked.from) }), ways };
  }

  #route(leg: Leg): Pick<WayAnswer, "route"> {
    const route = routeOf(this.#parts.maps, leg, (address) => this.#name(address));
    return route === undefined ? {} : { route };
  }

  #rangesFor({ sourceRanges: set }: Service, client: Address): Pick<NodeAnswer, "sourceRanges"> {
    if (set === 0) return {};
    const { maps } = this.#parts;
    return { sourceRanges: { ranges: rangesOf(maps, set, client), allows: isInSet(maps, set, client) } };
  }

  #name(address: Address): string {
    return this.#parts.names.owner(address) ?? address;
  }

  /** Undefined: it is no service's. */
  #serviceAt({ to, port, protocol }: Asked): Service | undefined {
    const { frontends } = this.#parts.maps;
    const family = familyOf(to) ?? "IPv4";
    const anyNode = this.#isOfNode(to) ? frontends.lookup({ address: ANY_NODE[family], port, protocol }) : undefined;
    return frontends.lookup({ address: to, port, protocol }) ?? anyNode;
  }

  #backends(service: Service): { address: Address; port: number }[] {
    const { slots, backends } = this.#parts.maps;
    const found = new Map<string, { address: Address; port: number }>();
    for (let index = 0; index < service.backendCount && found.size < MOST_BACKENDS; index++) {
      const id = slots.lookup({ backendList: service.backendList, index });
      const backend = id === undefined ? undefined : backends.lookup(id);
      if (backend) found.set(`${backend.address} ${backend.port}`, { address: backend.address, port: backend.port });
    }
    return [...found.values()];
  }

  /** Egress first, as the packet path asks. */
  #ends(flow: Asked): EndAnswer[] {
    if (flow.from === flow.to) return [];
    const source = this.#endpointAt(flow.from, flow.to, Direction.EGRESS);
    const destination = this.#endpointAt(flow.to, flow.from, Direction.INGRESS);
    return [
      ...(source ? [this.#answer("egress", source, flow.from, flow.to, flow)] : []),
      ...(destination ? [this.#answer("ingress", destination, flow.to, flow.from, flow)] : []),
    ];
  }

  /** What judges at this end; undefined: nothing on this node does. */
  #endpointAt(address: Address, other: Address, direction: number): Endpoint | undefined {
    const { endpoints, hostEndpoints, settings } = this.#parts.maps;
    const pod = endpoints.lookup(address);
    if (pod) return pod;
    const flags = settings.lookup(0)?.flags ?? 0;
    if (!this.#isOwn(address) || !(flags & SettingsFlag.HOST_POLICIES)) return undefined;
    if (endpoints.lookup(other)) {
      const judged = direction === Direction.INGRESS && flags & SettingsFlag.WORKLOADS_TO_HOST;
      return judged ? hostEndpoints.lookup(FROM_WORKLOADS) : undefined;
    }
    return hostEndpoints.lookup(settings.lookup(0)?.uplinkIfindex ?? 0) ?? hostEndpoints.lookup(ANY_INTERFACE);
  }

  #answer(direction: "egress" | "ingress", endpoint: Endpoint, own: Address, other: Address, flow: Asked): EndAnswer {
    const { node, names, contents } = this.#parts;
    const { policies, identities } = contents();
    const identity = this.#location(other)?.identity ?? 0;
    const peer = [...identities].find(([, number]) => number === identity)?.[0] ?? ANYBODY;
    const about = { direction, node, end: this.#name(own), peer: matchedBy(peer) };
    const isolated = direction === "ingress" ? EndpointFlag.INGRESS_ISOLATED : EndpointFlag.EGRESS_ISOLATED;
    if (!(endpoint.flags & isolated))
      return { ...about, policies: "", tiers: [], verdict: "allow", reason: "no policy applies" };
    const applied = { ...about, policies: names.policy(endpoint.policy) };
    if (endpoint.ifindex !== 0 && this.#isOwn(other))
      return { ...applied, tiers: [], verdict: "allow", reason: "a pod and its own node always reach each other" };
    const policy = policies.get(endpoint.policy);
    const tiers = policy?.[direction] ?? [];
    const asked = explain(tiers, policy?.afterwards ?? { verdict: "deny" }, peer, flow);
    const { verdict, reason = "nothing denies it after the last tier" } = asked.decision;
    const decided = asked.tiers.find((answer) => answer.verdict !== "pass")?.reason ?? reason;
    if (verdict === "deny" && endpoint.ifindex === 0 && this.#isFailsafe(endpoint, direction, flow, other))
      return { ...applied, tiers: asked.tiers, verdict: "allow", reason: "a fail-safe port, which no policy closes" };
    const differs = verdict !== this.#inMaps(direction, endpoint, identity, flow);
    return { ...applied, tiers: asked.tiers, verdict, reason: decided, ...(differs && { differs }) };
  }

  /** As bpf/policy/judge.h. */
  #inMaps(direction: "egress" | "ingress", { policy }: Endpoint, identity: number, flow: Asked): "allow" | "deny" {
    const { policies } = this.#parts.maps;
    const key = {
      ...{ prefixLength: WHOLE_KEY, policy, identity, protocol: flow.protocol, port: flow.port },
      direction: direction === "ingress" ? Direction.INGRESS : Direction.EGRESS,
    };
    const value = policies.lookup(key) ?? policies.lookup({ ...key, identity: POLICY_ANY_IDENTITY });
    if (value?.verdict !== PolicyVerdict.BY_SOURCE_PORT)
      return value?.verdict === PolicyVerdict.ALLOW ? "allow" : "deny";
    const bySource = {
      ...key,
      direction: key.direction | POLICY_SOURCE_PORT,
      identity: value.rule,
      port: flow.sourcePort,
    };
    return policies.lookup(bySource)?.verdict === PolicyVerdict.ALLOW ? "allow" : "deny";
  }

  #isFailsafe({ flags }: Endpoint, direction: "egress" | "ingress", { protocol, port }: Asked, peer: Address): boolean {
    if (flags & EndpointFlag.WITHOUT_FAILSAFES || protocol === ICMP || protocol === ICMPV6) return false;
    const way = direction === "ingress" ? Direction.INGRESS : Direction.EGRESS;
    return this.#parts.maps.failsafes.lookup({ prefixLength: 160, direction: way, protocol, port, peer }) !== undefined;
  }

  #location(address: Address) {
    return this.#parts.maps.locations.lookup(prefixOf(hostCidr(address)));
  }

  #isOwn(address: Address): boolean {
    return ((this.#location(address)?.flags ?? 0) & LocationFlag.LOCAL_HOST) !== 0;
  }

  #isOfNode(address: Address): boolean {
    return ((this.#location(address)?.flags ?? 0) & (LocationFlag.LOCAL_HOST | LocationFlag.REMOTE_HOST)) !== 0;
  }
}

function matchedBy({ selectors, cidrs, ports }: Peer): string[] {
  return [...selectors, ...cidrs, ...[...ports].map(([name, number]) => `port ${name} is ${number}`)].sort();
}
