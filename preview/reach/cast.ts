import type { HostInputs } from "../../model/flow/host-judges.ts";
import {
  namespace as namespaceSchema,
  type Pod,
  pod as podSchema,
  type ServiceAccount,
  serviceAccount as serviceAccountSchema,
} from "../../model/objects/core.ts";
import { kinds } from "../../model/objects/kinds.ts";
import { isOf, type Service, serviceOf, type Workload, type WrittenObject, workloadOf } from "../declared/objects.ts";
import { type DeclaredPolicies, hostInputsOf, policiesOf } from "../declared/policies.ts";

/** Something outside the pods' network that has an address. */
export interface Host {
  name: string;
  address: string;
  addressIpv6?: string | undefined;
}

/** Everything that decides who reaches whom. */
export interface Cast {
  clients: Host[];
  nodes: Host[];
  workloads: Workload[];
  services: Service[];
  policies: DeclaredPolicies;
  hosts: HostInputs;
  /** Labels by name, of namespaces that are declared; one that is not has none but its name. */
  namespaces: ReadonlyMap<string, Record<string, string>>;
  /** Service accounts that are declared: others have no labels. */
  serviceAccounts: ServiceAccount[];
  /** CIDRs that pods' addresses come from; which of them a pod gets is not known before it runs. */
  pools: string[];
  /** Whether a connection from outside keeps its source address: not with kube-proxy. */
  keepsSource: boolean;
}

/** What the objects are about. */
export interface Scene extends Pick<Cast, "clients" | "nodes" | "pools" | "keepsSource"> {
  objects: WrittenObject[];
  /** Whether packets between pods of different nodes travel in the tunnel. */
  wraps?: HostInputs["wraps"];
  /** Whether kubeadm makes the cluster's name service, which no stack declares. */
  nameService: boolean;
}

/** The cluster's name service, as kubeadm makes it on every cluster. */
const NAME_SERVICE: WrittenObject[] = [
  {
    kind: "Deployment",
    metadata: { name: "coredns", namespace: "kube-system" },
    spec: { replicas: 2, template: { metadata: { labels: { "k8s-app": "kube-dns" } }, spec: { containers: [] } } },
  },
  {
    kind: "Service",
    metadata: { name: "kube-dns", namespace: "kube-system" },
    spec: {
      selector: { "k8s-app": "kube-dns" },
      ports: [
        { name: "dns", protocol: "UDP", port: 53 },
        { name: "dns-tcp", protocol: "TCP", port: 53 },
      ],
    },
  },
];

/** Reads objects; those that have nothing to do with reaching anybody are passed over. */
export function castOf(given: Scene): Cast {
  const { objects, nameService, clients, nodes, pools, keepsSource, wraps = "sometimes" } = given;
  const all = [...objects, ...(nameService ? NAME_SERVICE : [])];
  const namespaces = all
    .filter((object) => isOf(kinds.namespaces, object))
    .flatMap((object) => namespaceSchema.safeParse(object).data ?? []);
  return {
    clients,
    nodes,
    pools,
    keepsSource,
    workloads: all.flatMap((object) => workloadOf(object) ?? []),
    services: all.flatMap((object) => serviceOf(object) ?? []),
    policies: policiesOf(all),
    hosts: hostInputsOf(all, wraps),
    serviceAccounts: all
      .filter((object) => isOf(kinds.serviceAccounts, object))
      .flatMap((object) => serviceAccountSchema.safeParse(object).data ?? [])
      .map(({ metadata }) => ({ metadata: { ...metadata, namespace: metadata.namespace ?? "default" } })),
    namespaces: new Map(namespaces.map(({ metadata }) => [metadata.name, metadata.labels ?? {}])),
  };
}

/** A pod of a workload, as the API server would show it but for its address. */
export function podOf({ namespace, name, labels, serviceAccountName, ...rest }: Workload): Pod {
  const { hostNetwork, containers, initContainers } = rest;
  return podSchema.parse({
    metadata: { name, namespace, labels },
    spec: { hostNetwork, serviceAccountName, containers, initContainers },
  });
}

/** The workloads that a service sends to. */
export function backendsOf({ workloads }: Cast, { namespace, spec }: Service): Workload[] {
  const wanted = Object.entries(spec.selector);
  if (wanted.length === 0) return [];
  return workloads.filter(
    (workload) => workload.namespace === namespace && wanted.every(([key, value]) => workload.labels[key] === value),
  );
}
