// Why a flow would be allowed or refused on this node: the answer of the maps, and the tiers and rules that they were made from.
import { type Address, hostCidr } from "../../../model/address/address.ts";
import { explain } from "../../../model/policy/explain.ts";
import type { Peer } from "../../../model/policy/judge.ts";
import { ICMP, ICMPV6 } from "../../../model/protocol.ts";
import { prefixOf } from "../../compile/addresses.ts";
import type { NumberContents } from "../../compile/desired.ts";
import {
  Direction,
  type Endpoint,
  EndpointFlag,
  FROM_WORKLOADS,
  HostStage,
  LocationFlag,
  type Service,
  SettingsFlag,
} from "../../kernel/layout.gen.ts";
import type { MapStores } from "../../kernel/map-store.ts";
import type { Asked, EndAnswer, NodeAnswer, WayAnswer } from "./answers.ts";
import { askedService, backendsFor } from "./asked-service.ts";
import { type AskedStage, hostAt, hostStagesOf } from "./host-stages.ts";
import { atOwnSide, verdictInMaps } from "./in-maps.ts";
import { interfaceFor, type Towards } from "./interfaces.ts";
import { peerNumbered } from "./judged-chain.ts";
import { isInSet, type Leg, rangesOf, routeOf } from "./route.ts";

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
    | "uplinks"
  >;
  /** Each lookup of an address starts a process, so each address is looked up once. */
  readonly towards: Towards;
  readonly contents: () => NumberContents;
  readonly names: {
    owner(address: Address): string | undefined;
    service(address: Address, port: number, protocol: number): string | undefined;
    policy(number: number): string;
  };
}

/** The end whose policy is asked, as an end of this flow. */
interface Side {
  readonly end: string;
  readonly peer: Address;
  readonly flow: Asked;
  readonly isForwarded?: boolean;
}

const UNDECIDED = "no rule of them decides, so the later policies are asked";

export class Explainer {
  readonly #parts: ExplainerParts;
  readonly #routes = new Map<Address, ReturnType<Towards>>();

  constructor(parts: ExplainerParts) {
    this.#parts = parts;
  }

  explain(asked: Asked): NodeAnswer {
    this.#routes.clear();
    const { node, names } = this.#parts;
    const from = { address: asked.from, name: this.#name(asked.from) };
    const service = askedService(this.#parts.maps, asked);
    const ends = service ? backendsFor(this.#parts.maps, service, asked) : [{ address: asked.to, port: asked.port }];
    const ways = ends.map(({ address, port }) => ({
      to: { address, port, name: this.#name(address) },
      ...this.#route({ from: asked.from, to: address, service }),
      ends: this.#passing({ ...asked, to: address, port }, asked),
    }));
    const name = names.service(asked.to, asked.port, asked.protocol) ?? `${asked.to} port ${asked.port}`;
    return { node, from, ...(service && { service: name, ...this.#rangesFor(service, asked.from) }), ways };
  }

  readonly #towards: Towards = (address) => {
    if (!this.#routes.has(address)) this.#routes.set(address, this.#parts.towards(address));
    return this.#routes.get(address);
  };

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

  /** In the order in which the packet path asks: where the flow comes in, at its ends on this node, and where it leaves. */
  #passing(flow: Asked, written: Asked): EndAnswer[] {
    const { arrival, departure } = hostStagesOf(this.#parts.maps, this.#towards, flow, written);
    const found: EndAnswer[] = [];
    for (const stage of arrival) {
      const answer = this.#answer("ingress", stage.endpoint, { ...stage, peer: stage.flow.from });
      found.push(answer);
      if (answer.verdict === "deny") return found;
      if (stage.isEarly && !answer.undecided) return [...found, ...this.#ends(flow).filter(({ isNode }) => !isNode)];
    }
    const leaving = this.#leaving(flow, departure);
    const isOfNode = this.#isOwn(flow.from);
    // A flow that doNotTrack allows skips the node's own policy, which is asked first otherwise.
    if (isOfNode && leaving.some(({ undecided }) => !undecided)) return [...found, ...leaving];
    return [...found, ...(isOfNode ? leaving : []), ...this.#ends(flow), ...(isOfNode ? [] : leaving)];
  }

  /** Until one decides. */
  #leaving(flow: Asked, departure: readonly AskedStage[]): EndAnswer[] {
    const found: EndAnswer[] = [];
    for (const stage of departure) {
      const answer = this.#answer("egress", stage.endpoint, { ...stage, peer: flow.to });
      found.push(answer);
      if (!answer.undecided) break;
    }
    return found;
  }

  /** Egress first. */
  #ends(flow: Asked): EndAnswer[] {
    if (flow.from === flow.to) return [];
    const source = this.#endpointAt(flow.from, flow.to, Direction.EGRESS);
    const destination = this.#endpointAt(flow.to, flow.from, Direction.INGRESS);
    return [
      ...(source
        ? [this.#answer("egress", source, { end: this.#endOf(flow.from, flow.to), peer: flow.to, flow })]
        : []),
      ...(destination
        ? [this.#answer("ingress", destination, { end: this.#endOf(flow.to, flow.from), peer: flow.from, flow })]
        : []),
    ];
  }

  /** The policy at this end; undefined: no policy on this node judges it. */
  #endpointAt(address: Address, other: Address, direction: Direction): Endpoint | undefined {
    const { endpoints, settings } = this.#parts.maps;
    const pod = endpoints.lookup(address);
    if (pod) return pod;
    const flags = settings.lookup(0)?.flags ?? 0;
    if (!this.#isOwn(address) || !(flags & SettingsFlag.HOST_POLICIES)) return undefined;
    const isOfPod = endpoints.lookup(other) !== undefined;
    if (isOfPod && !(direction === Direction.INGRESS && flags & SettingsFlag.WORKLOADS_TO_HOST)) return undefined;
    const host = hostAt(this.#parts.maps, isOfPod ? FROM_WORKLOADS : this.#facing(other).ifindex, HostStage.OWN);
    return host && atOwnSide(this.#parts.maps, host, direction, this.#location(address)?.identity);
  }

  /** The interface by which the node itself reaches an address. */
  #facing(other: Address) {
    return interfaceFor(this.#parts.maps, this.#towards, other, true);
  }

  /** "node master, at the uplink eth1": the interface determines which host endpoint is asked. */
  #endOf(address: Address, other: Address): string {
    const { endpoints, settings } = this.#parts.maps;
    const by = this.#isOwn(address) && !endpoints.lookup(other) ? this.#facing(other) : undefined;
    const isPrimary = !by || by.ifindex === settings.lookup(0)?.uplinkIfindex;
    return isPrimary ? this.#name(address) : `${this.#name(address)}, at ${by.name}`;
  }

  #answer(
    direction: "egress" | "ingress",
    endpoint: Endpoint,
    { end, peer: other, flow, isForwarded }: Side,
  ): EndAnswer {
    const { node, names, contents } = this.#parts;
    const { policies, identities } = contents();
    const identity = this.#location(other)?.identity ?? 0;
    const peer = peerNumbered(identities, identity);
    const isNode = endpoint.ifindex === 0;
    const about = { direction, node, end, peer: matchedBy(peer), ...(isNode && { isNode }) };
    const isolated = direction === "ingress" ? EndpointFlag.INGRESS_ISOLATED : EndpointFlag.EGRESS_ISOLATED;
    if (!(endpoint.flags & isolated))
      return { ...about, policies: "", tiers: [], verdict: "allow", reason: "no policy applies" };
    const applied = { ...about, policies: names.policy(endpoint.policy) };
    const isAsked = direction === "egress" && (endpoint.flags & EndpointFlag.ASKED_TO_NODE) !== 0;
    if (!isNode && !isAsked && this.#isOwn(other))
      return { ...applied, tiers: [], verdict: "allow", reason: "a pod and its own node always reach each other" };
    const policy = policies.get(endpoint.policy);
    const tiers = policy?.[direction] ?? [];
    const asked = explain(tiers, policy?.afterwards ?? { verdict: "deny" }, peer, flow);
    const { verdict, undecided } = asked.decision;
    const { reason = undecided ? UNDECIDED : "nothing denies it after the last tier" } = asked.decision;
    const decided = asked.tiers.find((answer) => answer.verdict !== "pass")?.reason ?? reason;
    if (verdict === "deny" && isNode && !isForwarded && this.#isFailsafe(endpoint, direction, flow, other))
      return { ...applied, tiers: asked.tiers, verdict: "allow", reason: "a fail-safe port, which no policy closes" };
    const differs = verdict !== verdictInMaps(this.#parts.maps, direction, endpoint, identity, flow);
    const more = { ...(differs && { differs }), ...(undecided && { undecided }) };
    return { ...applied, tiers: asked.tiers, verdict, reason: decided, ...more };
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
}

function matchedBy({ selectors, cidrs, ports }: Peer): string[] {
  return [...selectors, ...cidrs, ...[...ports].map(([name, number]) => `port ${name} is ${number}`)].sort();
}
