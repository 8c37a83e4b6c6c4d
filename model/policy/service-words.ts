import { type EndpointSlice, serviceNameLabel } from "../objects/discovery.ts";
import { portProtocol } from "../protocol.ts";
import type { PortMatch } from "./rules.ts";

// Rules name Services for the addresses of their endpoints. All endpoints of a Service that have the same ports share one word (rules.ts:
// PeerMatch.selectors), so the number of identities does not grow with the number of endpoints.

/** Endpoints of a Service with the same ports. */
export interface ServiceGroup {
  /** The text by which rules refer to it: "endpoints of Service shop/web, tcp 80". */
  readonly text: string;
  readonly ports: readonly PortMatch[];
  readonly addresses: readonly string[];
}

/** The groups of a Service by its name, "shop/web". */
export type ServicePorts = (name: string) => readonly Pick<ServiceGroup, "text" | "ports">[];

/** The word of all endpoints of a Service. */
export function serviceSource(name: string): string {
  return `endpoints of Service ${name}`;
}

export function isServiceSource(text: string): boolean {
  return text.startsWith(serviceSource(""));
}

/** The endpoints of one Service. An endpoint counts whether it is ready or not, as in Calico. @param slices of this Service */
export function serviceGroups(name: string, slices: readonly EndpointSlice[]): readonly ServiceGroup[] {
  const groups = new Map<string, { ports: readonly PortMatch[]; addresses: Set<string> }>();
  for (const slice of slices) {
    if (slice.addressType === "FQDN") continue;
    const ports = slice.ports.flatMap(({ protocol, port }): PortMatch[] => {
      const number = portProtocol(protocol);
      return port == null || number === undefined ? [] : [{ protocol: number, first: port, last: port }];
    });
    const text = `${serviceSource(name)}, ports ${
      ports
        .map((port) => portText(port))
        .sort()
        .join(", ") || "none"
    }`;
    const group = groups.get(text) ?? { ports, addresses: new Set() };
    for (const { addresses } of slice.endpoints) for (const address of addresses) group.addresses.add(address);
    groups.set(text, group);
  }
  return [...groups.keys()].sort().map((text) => {
    const { ports, addresses } = groups.get(text) as { ports: readonly PortMatch[]; addresses: Set<string> };
    return { text, ports, addresses: [...addresses].sort() };
  });
}

function portText(match: PortMatch): string {
  return "name" in match ? match.name : `${match.protocol}/${match.first}`;
}

/** "shop/web" of a slice; undefined: it belongs to none. */
export function serviceOf({ metadata }: EndpointSlice): string | undefined {
  const name = metadata.labels?.[serviceNameLabel];
  return name === undefined ? undefined : `${metadata.namespace ?? "default"}/${name}`;
}
