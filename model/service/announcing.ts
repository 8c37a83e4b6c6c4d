import { type Address, type Family, familyOf } from "../address/address.ts";
import { firstFew } from "../first-few.ts";
import { Memo } from "../memo.ts";
import type { NodeDirectory } from "../node/nodes.ts";
import { isLeaving, type Node } from "../objects/core.ts";
import type { Problem } from "../problem.ts";
import type { Backend } from "./backend.ts";
import { frontendText } from "./frontend.ts";
import type { Lost } from "./frontend-claims.ts";
import type { CompiledService, ServedFrontend } from "./service.ts";

// Which nodes announce addresses of Services to the network: by ARP and neighbor discovery, and by BGP.

/** Kubernetes' label of nodes that external load balancers do not use. */
const EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers";

/** The names of the nodes with endpoints of a Service, of one family. */
export interface EndpointNodes {
  readonly ready: ReadonlySet<string>;
  /** With endpoints that terminate and still serve. */
  readonly draining: ReadonlySet<string>;
}

/** The nodes that announce an address: those without the label, unless all have it, as in a cluster of kubeadm's control planes alone. Of these, nodes that are
 * being deleted and cordoned ones only where there is no other.
 * @param endpoints of a Service with the traffic policy Local: only nodes with a ready endpoint, or, where there is none, with one that still serves */
export function announcing(nodes: readonly Node[], endpoints?: EndpointNodes): readonly Node[] {
  const usable = unless(nodes, isExcluded);
  const fitting = endpoints ? withEndpoints(usable, endpoints) : usable;
  return unless(unless(fitting, isLeaving), ({ spec }) => spec.isCordoned);
}

function withEndpoints(nodes: readonly Node[], { ready, draining }: EndpointNodes): readonly Node[] {
  const having = (names: ReadonlySet<string>) => nodes.filter(({ metadata }) => names.has(metadata.name));
  const first = having(ready);
  return first.length > 0 ? first : having(draining);
}

/** Those of which it is not so; all, if it is so of all. */
function unless(nodes: readonly Node[], is: (node: Node) => boolean): readonly Node[] {
  const others = nodes.filter((node) => !is(node));
  return others.length > 0 ? others : nodes;
}

function isExcluded({ metadata }: Node): boolean {
  return metadata.labels?.[EXCLUDED] !== undefined;
}

/** An endpoint, and where it is. */
export type PlacedEndpoint = Pick<Backend, "ready" | "servingTerminating"> & { readonly node: string | undefined };

/** One on a node that is not known counts nowhere. */
export function nodesWith(endpoints: readonly PlacedEndpoint[]): EndpointNodes {
  const names = (of: readonly PlacedEndpoint[]) => new Set(of.flatMap(({ node }) => node ?? []));
  const [ready, others] = [endpoints.filter((one) => one.ready), endpoints.filter((one) => !one.ready)];
  return { ready: names(ready), draining: names(others.filter((one) => one.servingTerminating)) };
}

/** Where a Service's endpoints of a family are. */
export function endpointNodes(backends: readonly Backend[], family: Family, nodes: NodeDirectory): EndpointNodes {
  return nodesWith(
    backends.flatMap(({ address, node, local, ready, servingTerminating }) =>
      familyOf(address) === family
        ? [{ ready, servingTerminating, node: local ? nodes.facts.nodeName : nodes.nodeOf(node) }]
        : [],
    ),
  );
}

/** Whether a frontend is served by nodes with endpoints only, at an address that clients outside know. */
export function isLocal({ trafficPolicy, claim }: Pick<ServedFrontend, "trafficPolicy" | "claim">): boolean {
  return trafficPolicy === "Local" && ["cluster IP", "external IP", "load balancer"].includes(claim);
}

/** The Services with an address that no node announces, because all nodes with their endpoints have the label and others do not. Without endpoints, silence is what
 * the traffic policy Local means. Looks again only at Services that changed. */
export class Unannounced {
  readonly #found = new Memo<CompiledService, readonly Problem[]>();

  /** @param isAnnounced whether nodes announce such an address at all; another function for other pools and networks */
  problems(
    services: readonly CompiledService[],
    lost: ReadonlyMap<CompiledService, Lost>,
    nodes: readonly Node[],
    directory: NodeDirectory,
    isAnnounced: (frontend: ServedFrontend) => boolean,
  ): readonly Problem[] {
    const excluded = nodes.filter(isExcluded);
    if (excluded.length === 0 || excluded.length === nodes.length) return [];
    return services.flatMap((service) => {
      const others = lost.get(service);
      return this.#found.get(service, [others, nodes, directory, isAnnounced], () => {
        const asked = service.frontends.filter(
          (one) => isLocal(one) && !others?.has(frontendText(one.key)) && isAnnounced(one),
        );
        const silent = [...Map.groupBy(asked, ({ family }) => family)].flatMap(([family, rules]) => {
          const endpoints = endpointNodes(service.backends, family, directory);
          const on = announcing(nodes, endpoints).length > 0 ? [] : withEndpoints(excluded, endpoints);
          return on.length > 0 ? [{ rules, on }] : [];
        });
        if (silent.length === 0) return NOTHING;
        const [rules, on] = [silent.flatMap((one) => one.rules), silent.flatMap((one) => one.on)];
        return [notAnnounced(service, rules, on)];
      });
    });
  }
}

const NOTHING: readonly Problem[] = [];

function notAnnounced(
  { kind, object }: CompiledService,
  rules: readonly ServedFrontend[],
  on: readonly Node[],
): Problem {
  const { namespace, name } = object.metadata;
  const addresses = firstFew([...new Set(rules.map(({ key }): Address => key.address))]);
  const names = firstFew([...new Set(on.map(({ metadata }) => metadata.name))].sort());
  const message = `no node announces ${addresses}: the nodes with its ready endpoints (${names}) have the label ${EXCLUDED}, as kubeadm gives it to control planes. Next: kubectl label node NAME ${EXCLUDED}-, let its pods run on other nodes, or use the traffic policy Cluster.`;
  return { kind, namespace: namespace ?? undefined, name, path: rules[0]?.path ?? "spec", message };
}
