// Endpoints of Services that rules name: the pods that a declared Service selects, before they have addresses.
import { type SelectingService, sliceOf } from "../../model/flow/peer-words.ts";
import type { EndpointSlice } from "../../model/objects/discovery.ts";
import { containerPorts } from "../../model/policy/identity.ts";
import { portName } from "../../model/policy/judge.ts";
import { protocolNumbers } from "../../model/protocol.ts";
import type { Service } from "../declared/objects.ts";
import { backendsOf, type Cast, podOf } from "./cast.ts";

/** Services whose endpoints are known by their labels, and their EndpointSlices without addresses. */
export interface KnownEndpoints {
  readonly services: readonly SelectingService[];
  readonly endpointSlices: readonly EndpointSlice[];
}

/** Those of the declared Services. Not known are the endpoints of one without a selector, of one that selects pods in the host's network (they have
 * the addresses of nodes), and of one whose port has no number, or several. */
export function knownEndpoints(cast: Cast): KnownEndpoints {
  const known = cast.services.flatMap((service) => {
    const name = `${service.namespace}/${service.name}`;
    const ports = endpointPorts(cast, service);
    return ports ? [{ service: { name, selector: service.spec.selector }, slice: sliceOf(name, ports) }] : [];
  });
  return { services: known.map(({ service }) => service), endpointSlices: known.map(({ slice }) => slice) };
}

function endpointPorts(cast: Cast, service: Service): EndpointSlice["ports"] | undefined {
  const { type, selector, ports } = service.spec;
  if (type === "ExternalName" || Object.keys(selector).length === 0) return undefined;
  const backends = backendsOf(cast, service);
  if (backends.some(({ hostNetwork }) => hostNetwork)) return undefined;
  const numbered = backends.map((workload) => containerPorts(podOf(workload)));
  const found: EndpointSlice["ports"] = [];
  for (const { name, protocol, port, targetPort } of ports) {
    const target = targetPort ?? port;
    const named = (one: string) => numbered.map((of) => of.get(portName(protocolNumbers[protocol], one)));
    const numbers = new Set(typeof target === "number" ? [target] : named(target));
    const [number] = numbers;
    if (numbers.size !== 1) return undefined;
    if (number !== undefined) found.push({ name, protocol, port: number });
  }
  return found;
}
