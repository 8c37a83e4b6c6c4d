// Who has an address, with all labels that selectors may ask about.
import { contains } from "./addresses.ts";
import { allHostEndpoints } from "./automatic.ts";
import { remembered, isMisunderstood as wrong } from "./misunderstood.ts";
import type { Labels, NamedPort, Pod, World } from "./objects.ts";

/** A pod, a host endpoint or the members of a network set. */
export interface Entity {
  kind: "pod" | "hostEndpoint" | "networkSet";
  name: string;
  namespace?: string;
  labels: Labels;
  ports: NamedPort[];
}

const NAMESPACE = "projectcalico.org/namespace";
export const SERVICE_ACCOUNT = "projectcalico.org/serviceaccount";

/** All of them: an address of a pod may be in a network set too. */
export function entitiesAt(world: World, address: string): Entity[] {
  return remembered(world, address, () => findEntities(world, address));
}

function findEntities(world: World, address: string): Entity[] {
  const pods = world.pods
    .filter(({ status: { podIPs } }) =>
      (wrong("a pod has one address") ? podIPs.slice(0, 1) : podIPs).some(({ ip }) => ip === address),
    )
    .map((pod) => podEntity(world, pod));
  // "expectedIPs ... so that Calico can match selectors" (HostEndpoint)
  const hosts = allHostEndpoints(world)
    .filter(({ spec }) => spec.expectedIPs?.includes(address))
    .filter(() => !wrong("expectedIPs are of nodes alone") || isOfNode(world, address))
    .slice(0, wrong("an address has one host endpoint") ? 1 : undefined)
    .map(({ metadata, spec }) => hostEntity(metadata, spec.ports));
  const sets = [
    ...world.networkSets.map(({ metadata, spec }) => ({
      nets: spec.nets ?? [],
      entity: entity("networkSet", metadata.name, {
        ...ownLabels(metadata.labels),
        [NAMESPACE]: metadata.namespace,
        ...namespaceLabels(world, metadata.namespace),
      }),
    })),
    ...world.globalNetworkSets.map(({ metadata, spec }) => ({
      nets: spec.nets ?? [],
      entity: entity("networkSet", metadata.name, { ...metadata.labels }),
    })),
  ].filter(({ nets }) => nets.some((net) => contains(net, address)));
  const found = [...pods, ...hosts, ...chosen(sets, address, pods.length > 0)];
  return wrong("network sets are merged") && found.length > 1
    ? [entity("networkSet", "all", Object.assign({}, ...found.map(({ labels }) => labels)))]
    : found;
}

function isOfNode(world: World, address: string): boolean {
  return world.nodes.some(({ status }) => status.addresses.some((one) => one.address === address));
}

function chosen(sets: { nets: string[]; entity: Entity }[], address: string, isPod: boolean): Entity[] {
  if (wrong("network sets cover no pods") && isPod) return [];
  const length = (nets: string[]) =>
    Math.max(...nets.filter((net) => contains(net, address)).map((net) => Number(net.split("/")[1] ?? 32)));
  const longest = Math.max(...sets.map(({ nets }) => length(nets)));
  return sets
    .filter(({ nets }) => !wrong("first net decides") || length(nets) === longest)
    .map(({ entity: one }) => one);
}

function entity(kind: Entity["kind"], name: string, labels: Labels, ports: NamedPort[] = []): Entity {
  return {
    kind,
    name,
    labels,
    ports,
    ...(labels[NAMESPACE] !== undefined && { namespace: labels[NAMESPACE] }),
  };
}

export function hostEntity(metadata: { name: string; labels?: Labels }, ports?: NamedPort[]): Entity {
  return entity("hostEndpoint", metadata.name, { ...metadata.labels }, ports);
}

/** A pod has the labels of its namespace and its service account under other names (Calico: profiles kns.… and ksa.…). */
export function podEntity(world: World, { metadata, spec }: Pod): Entity {
  const account = spec.serviceAccountName;
  const object = world.serviceAccounts.find(
    (one) => one.metadata.namespace === metadata.namespace && one.metadata.name === account,
  );
  const labels: Labels = {
    ...ownLabels(metadata.labels),
    [NAMESPACE]: metadata.namespace,
    "projectcalico.org/orchestrator": "k8s",
    ...namespaceLabels(world, metadata.namespace),
    ...(account !== undefined && { [SERVICE_ACCOUNT]: account }),
    ...(object && prefixed("pcsa.", { ...object.metadata.labels, "projectcalico.org/name": object.metadata.name })),
  };
  const ports = spec.containers.flatMap((container) =>
    (container.ports ?? []).map(({ name, containerPort, protocol }) => ({ name, port: containerPort, protocol })),
  );
  return entity("pod", metadata.name, labels, ports);
}

/** Other than upstream, whoever writes objects in a namespace cannot write labels of the namespace and the service account. */
function ownLabels(labels: Labels = {}): Labels {
  const isOfOthers = (key: string) =>
    ["pcns.", "pcsa."].some((prefix) => key.startsWith(prefix)) ||
    [NAMESPACE, SERVICE_ACCOUNT, "projectcalico.org/orchestrator"].includes(key);
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !isOfOthers(key)));
}

function namespaceLabels(world: World, name: string): Labels {
  const found = world.namespaces.find(({ metadata }) => metadata.name === name);
  return prefixed("pcns.", {
    ...found?.metadata.labels,
    "kubernetes.io/metadata.name": name,
    "projectcalico.org/name": name,
  });
}

function prefixed(prefix: string, labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [prefix + key, value]));
}

/** Labels of an entity's namespace, under their own names. */
export function labelsOfNamespace({ labels }: Entity): Labels {
  return Object.fromEntries(
    Object.entries(labels).flatMap(([key, value]) => (key.startsWith("pcns.") ? [[key.slice(5), value]] : [])),
  );
}
