import type { Service } from "../objects/core.ts";
import { TCP } from "../protocol.ts";
import type { Backend } from "./backend.ts";
import { ANY_NODE } from "./frontend.ts";
import { type FrontendRule, familiesOf } from "./frontends.ts";
import { weighty } from "./weights.ts";

/** What a load balancer is told at a Service's `healthCheckNodePort`. */
export interface HealthCheck {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  /** Ready endpoints on this node, by address; those that terminate do not count, nor those that weigh nothing. */
  readonly localEndpoints: number;
}

/** Only a load balancer that must know which nodes have endpoints has one. */
export function healthCheckPort({ spec }: Service): number | undefined {
  const asks = spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";
  return (asks && spec.healthCheckNodePort) || undefined;
}

/** The port as it is claimed: on all addresses of all nodes, although nothing there is translated. */
export function healthCheckRules(service: Service): readonly FrontendRule[] {
  const port = healthCheckPort(service);
  if (port === undefined) return [];
  return familiesOf(service).map((family) => ({
    key: { address: ANY_NODE[family], port, protocol: TCP },
    family,
    claim: "health check",
    trafficPolicy: "Local",
    path: "spec.healthCheckNodePort",
  }));
}

export function healthCheckOf(service: Service, backends: readonly Backend[]): HealthCheck | undefined {
  const port = healthCheckPort(service);
  if (port === undefined) return undefined;
  const { namespace, name } = service.metadata;
  const given = weighty(backends.filter(({ ready }) => ready));
  const addresses = given.flatMap(({ local, address }) => (local ? [address] : []));
  return { namespace: namespace ?? "", name, port, localEndpoints: new Set(addresses).size };
}
