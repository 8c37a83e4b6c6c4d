// What the suite has to know about a cluster before it can say what must hold there.
import type { V1Node } from "@kubernetes/client-node";
import { ServiceHandling } from "../../components/dataplane/args.ts";
import { FAMILIES, type Family, familyOf } from "../../model/address/address.ts";
import { agentOn, type ClusterView, nodeAddresses, podAddresses } from "../cluster/view.ts";

/** A place outside of pods, and the families that it has addresses of. */
export interface SuitePlace {
  name: string;
  families: Family[];
}

export interface SuiteClient extends SuitePlace {
  addresses: string[];
  /** Whether a probe server can run there: on machines of a lab, not over SSH. */
  listens: boolean;
}

/** A cluster as the suite sees it. */
export interface SuiteFacts {
  /** The node of most pods. */
  near: SuitePlace;
  /** Another one; absent: only one node can run pods. */
  far?: SuitePlace;
  /** The first is the one that names resolve to. */
  podFamilies: Family[];
  serviceFamilies: Family[];
  /** Machines outside of the cluster. */
  clients: SuiteClient[];
  /** In which a machine outside answers pods: their addresses are masqueraded there. */
  masqueraded: Family[];
  /** `kube-system/kube-dns`; absent: no Service has the label of a cluster's DNS. */
  dns?: string;
  /** Image of the probe servers. */
  image: string;
  /** Whether servers see a client's own address at every node port, which Kubernetes does not promise. */
  keepsSource: boolean;
  /** Ports that nothing of the cluster claims. */
  nodePorts: { anyNode: number; localOnly: number };
  hostPort: number;
}

/** The nodes of the suite's pods. */
export const nodesOf = ({ near, far }: SuiteFacts): SuitePlace[] => [near, ...(far ? [far] : [])];

/** Facts that are known from outside the cluster's objects. */
export interface SuiteSettings {
  clients: SuiteClient[];
  image: string;
  /** Networks of Services, if the cluster reports them. */
  serviceNetworks: string[];
  /** IP pools; none: another network plugin. */
  pools: { cidr: string; natOutgoing?: boolean }[];
}

/** No node can run the suite's pods, or there is no port for them. */
export class NoNode extends Error {}

/** @throws NoNode */
export function suiteFacts(view: ClusterView, { clients, image, serviceNetworks, pools }: SuiteSettings): SuiteFacts {
  const [near, far] = fitNodes(view.nodes);
  if (!near) throw new NoNode("the suite needs a Linux node that is ready and not cordoned: kubectl get nodes");
  const podFamilies = podFamiliesOf(view, near);
  const serviceFamilies = familiesOf([
    ...view.services.flatMap(({ spec }) => spec?.clusterIPs ?? spec?.clusterIP ?? []),
    ...serviceNetworks.map((network) => network.split("/")[0] ?? ""),
  ]).filter((family) => podFamilies.includes(family));
  const dns = view.services.find(
    ({ metadata }) => metadata?.namespace === "kube-system" && metadata.labels?.["k8s-app"] === "kube-dns",
  )?.metadata?.name;
  const [anyNode = 0, localOnly = 0] = freePorts(NODE_PORTS, 2, nodePortsOf(view));
  return {
    near: placeOf(near),
    ...(far && { far: placeOf(far) }),
    podFamilies,
    serviceFamilies,
    clients: clients.slice(0, 2),
    masqueraded: masqueradedOf(pools, podFamilies),
    ...(dns && { dns: `kube-system/${dns}` }),
    image,
    keepsSource: keepsSource(view),
    nodePorts: { anyNode, localOnly },
    hostPort: freePorts(HOST_PORTS, 1, hostPortsOf(view))[0] ?? 0,
  };
}

/** Ready Linux nodes: those that take every pod first, then by name. */
function fitNodes(nodes: V1Node[]): V1Node[] {
  const isTainted = ({ spec }: V1Node): boolean =>
    (spec?.taints ?? []).some(({ effect }) => effect !== "PreferNoSchedule");
  return nodes
    .filter(({ metadata, spec, status }) => {
      const os = metadata?.labels?.["kubernetes.io/os"] ?? "linux";
      const isReady = status?.conditions?.some(
        (condition) => condition.type === "Ready" && condition.status === "True",
      );
      return os === "linux" && isReady && !spec?.unschedulable;
    })
    .toSorted((a, b) => Number(isTainted(a)) - Number(isTainted(b)) || nameOf(a).localeCompare(nameOf(b), "en"));
}

const nameOf = ({ metadata }: V1Node): string => metadata?.name ?? "";
const placeOf = (node: V1Node): SuitePlace => ({ name: nameOf(node), families: familiesOf(nodeAddresses(node)) });

/** Each family once, in the order in which it appears. */
export function familiesOf(addresses: string[]): Family[] {
  return [...new Set(addresses.flatMap((address) => familyOf(address) ?? []))];
}

/** The families of the running pods; otherwise those of the networks that a node has for pods. */
function podFamiliesOf({ pods }: ClusterView, node: V1Node): Family[] {
  const running = pods
    .filter(({ spec, status }) => !spec?.hostNetwork && status?.phase === "Running")
    .map(podAddresses);
  const most = running.toSorted((a, b) => b.length - a.length)[0] ?? [];
  const networks = (node.spec?.podCIDRs ?? []).map((network) => network.split("/")[0] ?? "");
  return [familiesOf(most), familiesOf(networks)].find(({ length }) => length > 0) ?? [FAMILIES[0]];
}

/** Without pools every plugin masquerades the first family at least: pods reach the internet by it. */
function masqueradedOf(pools: SuiteSettings["pools"], podFamilies: Family[]): Family[] {
  if (pools.length === 0) return podFamilies.slice(0, 1);
  const outgoing = pools.filter(({ natOutgoing }) => natOutgoing).map(({ cidr }) => cidr.split("/")[0] ?? "");
  return familiesOf(outgoing).filter((family) => podFamilies.includes(family));
}

function keepsSource(view: ClusterView): boolean {
  const isOurs = view.nodes.every((node) => agentOn(view, nameOf(node)) !== undefined);
  return isOurs && (view.serviceHandling ?? ServiceHandling.Ebpf) === ServiceHandling.Ebpf;
}

function nodePortsOf({ services }: ClusterView): number[] {
  return services.flatMap(({ spec }) => [
    ...(spec?.ports ?? []).flatMap(({ nodePort }) => nodePort ?? []),
    ...(spec?.healthCheckNodePort ? [spec.healthCheckNodePort] : []),
  ]);
}

function hostPortsOf({ pods }: ClusterView): number[] {
  return pods.flatMap(({ spec }) =>
    [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].flatMap(({ ports = [] }) =>
      ports.flatMap(({ hostPort, containerPort }) => hostPort ?? (spec?.hostNetwork ? containerPort : [])),
    ),
  );
}

/** As API servers have it without `--service-node-port-range`. */
const NODE_PORTS = { what: "node ports", first: 30_000, last: 32_767 };
const HOST_PORTS = { what: "host port", first: 18_080, last: 29_999 };

/** The first ones that nobody has. */
function freePorts({ what, first, last }: typeof NODE_PORTS, count: number, used: number[]): number[] {
  const taken = new Set(used);
  const free: number[] = [];
  for (let port = first; port <= last && free.length < count; port++) if (!taken.has(port)) free.push(port);
  if (free.length === count) return free;
  throw new NoNode(`the suite needs ${count} free ${what} between ${first} and ${last}: kubectl get services,pods -A`);
}
