import { type Cidr, type Family, parseCidr } from "../address/address.ts";
import type { CalicoEntity, CalicoRule } from "../objects/calico-policy/rule.ts";
import { PROTOCOLS } from "../objects/calico-policy/values.ts";
import { entitySelector, nobodyOf } from "./calico-endpoints.ts";
import type { PolicyRule } from "./compiled-policy.ts";
import { hasNames, NAMED_BY, withoutNames, withoutSets } from "./named-ports.ts";
import { EVERY } from "./own-side.ts";
import type { PeerMatch, PortMatch, RuleVerdict } from "./rules.ts";
import { type ServicePorts, serviceSource } from "./service-words.ts";
import type { WorkloadSelector } from "./workload-selector.ts";

export type Side = "ingress" | "egress";

const VERDICTS: Record<CalicoRule["action"], RuleVerdict> = { Allow: "allow", Deny: "deny", Log: "log", Pass: "pass" };
const ALL_PORTS = { first: 0, last: 65535 };

/** What the rules of one policy need to know, and the selectors to which they refer. */
export class CalicoRules {
  readonly selectors = new Map<string, WorkloadSelector>();
  /** Selectors that rules apply to the policy's own endpoints. */
  readonly ownSelectors = new Map<string, WorkloadSelector>();
  readonly #namespace: string | undefined;
  readonly #services: ServicePorts;

  /** @param namespace of the policy; undefined: a global one @param services the ports of Services that rules name */
  constructor(namespace: string | undefined, services: ServicePorts) {
    this.#namespace = namespace;
    this.#services = services;
  }

  /** One rule as one, or as one for each list of ports that a Service's endpoints have. */
  compile(rule: CalicoRule, side: Side, reason: string): PolicyRule[] {
    const [own, other] = side === "ingress" ? [rule.destination, rule.source] : [rule.source, rule.destination];
    const family = rule.ipVersion === 4 ? "IPv4" : rule.ipVersion === 6 ? "IPv6" : undefined;
    const peer = this.#match(other, this.selectors, family);
    const here = this.#match(own, this.ownSelectors, undefined);
    const said = {
      verdict: VERDICTS[rule.action],
      reason,
      ...portsOfRule(rule),
      ...(here && { here }),
    };
    const { services } = other;
    if (!services) return this.#byOwners({ ...said, ...(peer && { peers: [peer] }) }, side);
    const name = `${services.namespace ?? this.#namespace}/${services.name}`;
    if (side === "ingress") {
      return [{ ...said, peers: [{ ...peer, selectors: [...(peer?.selectors ?? []), serviceSource(name)] }] }];
    }
    return this.#services(name).map(({ text, ports }) => ({
      ...said,
      peers: [{ ...peer, selectors: [...(peer?.selectors ?? []), text] }],
      ports: portsWithin(ports, said.ports),
    }));
  }

  /** Two rules, if ports are named on the endpoints that a selector selects. */
  #byOwners(rule: PolicyRule, side: Side): PolicyRule[] {
    const lists = NAMED_BY[side].peer;
    const [peer] = rule.peers ?? [];
    const selector = this.selectors.get(peer?.selectors?.[0] ?? "");
    if (!peer || !selector || !hasNames(rule, lists)) return [rule];
    const owner = withoutSets(selector);
    this.selectors.set(owner.text, owner);
    return [
      { ...rule, peers: [{ ...peer, selectors: [owner.text] }] },
      { ...withoutNames(rule, lists), peers: [{ ...peer, notSelectors: [...(peer.notSelectors ?? []), owner.text] }] },
    ];
  }

  /** undefined: it matches every peer. */
  #match(
    entity: CalicoEntity,
    selectors: Map<string, WorkloadSelector>,
    family: Family | undefined,
  ): PeerMatch | undefined {
    const add = (selector: WorkloadSelector | undefined) => {
      if (!selector) return undefined;
      selectors.set(selector.text, selector);
      return [selector.text];
    };
    const selected = add(entitySelector(entity, this.#namespace));
    const excluded = add(nobodyOf(entity, this.#namespace));
    const nets = entity.nets.length > 0 ? blocks(entity.nets) : undefined;
    const cidrs = family
      ? (nets?.filter((one) => one.family === family).map(({ text }) => text) ?? [EVERY[family]])
      : nets?.map(({ text }) => text);
    const except = entity.notNets.length > 0 ? blocks(entity.notNets).map(({ text }) => text) : undefined;
    if (!selected && !excluded && !cidrs && !except) return undefined;
    return {
      ...(selected && { selectors: selected }),
      ...(excluded && { notSelectors: excluded }),
      ...(cidrs && { cidrs }),
      ...(except && { except }),
    };
  }
}

function blocks(nets: readonly string[]): Cidr[] {
  return nets.map(parseCidr);
}

const WITH_PORTS = [PROTOCOLS.TCP, PROTOCOLS.UDP, PROTOCOLS.SCTP];

type PortLists = Pick<PolicyRule, "ports" | "notPorts" | "sourcePorts" | "notSourcePorts">;

function portsOfRule({ protocol, notProtocol, icmp, notICMP, source, destination }: CalicoRule): PortLists {
  // A port name without a protocol stands for a port of any protocol (upstream: felix/calc/rule_scanner.go, ProtocolAny).
  const named = protocol === undefined ? WITH_PORTS : [protocol];
  const list = (ports: CalicoEntity["ports"]): PortMatch[] =>
    ports.flatMap((port) =>
      named.map((of) => ({ protocol: of, ...port, ...("name" in port && { isAlsoOfHosts: true as const }) })),
    );
  const whole = protocol === undefined ? [] : [{ protocol, ...(icmp ? icmpRange(icmp) : ALL_PORTS) }];
  const ports = destination.ports.length > 0 ? list(destination.ports) : whole;
  const notPorts = [
    ...list(destination.notPorts),
    ...(notICMP && protocol !== undefined ? [{ protocol, ...icmpRange(notICMP) }] : []),
    ...(notProtocol === undefined ? [] : [{ protocol: notProtocol, ...ALL_PORTS }]),
  ];
  return {
    ...(ports.length > 0 && { ports }),
    ...(notPorts.length > 0 && { notPorts }),
    ...(source.ports.length > 0 && { sourcePorts: list(source.ports) }),
    ...(source.notPorts.length > 0 && { notSourcePorts: list(source.notPorts) }),
  };
}

function icmpRange({ type, code }: NonNullable<CalicoRule["icmp"]>) {
  const first = (type << 8) | (code ?? 0);
  return { first, last: (type << 8) | (code ?? 255) };
}

/** Ports of a Service's endpoints that are of the rule's protocol, if it names one. */
function portsWithin(ports: readonly PortMatch[], allowed: PortLists["ports"]): readonly PortMatch[] {
  return allowed ? ports.filter(({ protocol }) => allowed.some((one) => one.protocol === protocol)) : ports;
}
