import { canonicalAddress, type Family, familyOf } from "../address/address.ts";
import type { Service, ServicePort } from "../objects/core.ts";
import { portProtocol } from "../protocol.ts";
import { ANY_NODE, type Frontend, frontendText } from "./frontend.ts";
import type { Claim } from "./frontend-rules.ts";
import { EVERYBODY, type RangeSet } from "./source-ranges.ts";

/** One address and port that clients may use, and by which rules. */
export interface FrontendRule {
  readonly key: Frontend;
  readonly family: Family;
  readonly claim: Claim;
  /** Local: only backends on the node where traffic arrives (internalTrafficPolicy for cluster IPs, else externalTrafficPolicy). */
  readonly trafficPolicy: TrafficPolicy;
  /** The field that asks for it. */
  readonly path: string;
  /** The clients that may use it; undefined: all. */
  readonly clients?: RangeSet | undefined;
}

export type TrafficPolicy = "Cluster" | "Local";

/** Every frontend of one service port. For an address in two fields, the first field decides the rules. */
export function frontends(service: Service, port: ServicePort, ranges = EVERYBODY): readonly FrontendRule[] {
  const { spec } = service;
  const internal = spec.internalTrafficPolicy ?? "Cluster";
  const external = spec.externalTrafficPolicy ?? "Cluster";
  const protocol = portProtocol(port.protocol);
  const balanced = new Set(balancedAddresses(service).map(canonicalAddress));
  const at = (addresses: readonly string[], trafficPolicy: TrafficPolicy, claim: Claim, path: string): FrontendRule[] =>
    addresses.map(canonicalAddress).flatMap((address) => {
      if (address === undefined) return [];
      const family = familyOf(address) ?? "IPv4";
      // The load balancer's address, whatever else it is: a cluster IP is the cluster's own way.
      const clients = balanced.has(address) && claim !== "cluster IP" ? ranges.of(family) : undefined;
      return [
        {
          key: { address, port: port.port, protocol },
          family,
          claim,
          trafficPolicy,
          path,
          ...(clients && { clients }),
        },
      ];
    });

  const rules = [
    ...at(clusterAddresses(service), internal, "cluster IP", "spec.clusterIPs"),
    ...at(spec.externalIPs, external, "external IP", "spec.externalIPs"),
    ...at(
      [...balanced].flatMap((address) => address ?? []),
      external,
      "load balancer",
      "status.loadBalancer.ingress",
    ),
  ];
  const hasNodePort = spec.type === "NodePort" || spec.type === "LoadBalancer";
  if (hasNodePort && port.nodePort) {
    for (const family of familiesOf(service)) {
      const key = { address: ANY_NODE[family], port: port.nodePort, protocol };
      rules.push({ key, family, claim: "node port", trafficPolicy: external, path: "spec.ports.nodePort" });
    }
  }
  return [...new Map(rules.toReversed().map((rule) => [frontendText(rule.key), rule])).values()].toReversed();
}

/** How many frontends the service asks for, at most, with those of the other ports of its cluster addresses. */
export function frontendCount(service: Service): number {
  const { ports, externalIPs } = service.spec;
  const cluster = clusterAddresses(service).length;
  const addresses = cluster + externalIPs.length + balancedAddresses(service).length;
  return (
    cluster + ports.length * addresses + ports.filter(({ nodePort }) => nodePort).length * familiesOf(service).length
  );
}

/** Headless services have the address "None" and are not translated. */
export function clusterAddresses({ spec }: Service): readonly string[] {
  const addresses = spec.clusterIPs.length > 0 ? spec.clusterIPs : [spec.clusterIP ?? ""];
  return addresses.filter((address) => familyOf(address) !== undefined);
}

function balancedAddresses(service: Service): readonly string[] {
  const { spec, status } = service;
  const ingress = spec.type === "LoadBalancer" ? (status?.loadBalancer?.ingress ?? []) : [];
  // KEP-1860: only VIP, the default, says that packets reach nodes with the address. With Proxy the load balancer ends
  // connections itself; later modes are unknown here.
  return ingress.flatMap(({ ip, ipMode }) => (ip && (ipMode ?? "VIP") === "VIP" ? [ip] : []));
}

export function familiesOf(service: Service): readonly Family[] {
  const { ipFamilies } = service.spec;
  if (ipFamilies.length > 0) return ipFamilies;
  const families = new Set(clusterAddresses(service).flatMap((address) => familyOf(address) ?? []));
  return families.size > 0 ? [...families] : ["IPv4"];
}
