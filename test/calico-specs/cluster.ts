// The cluster that a check file builds, as the evaluator of test/model sees it: what each step should show, without a cluster.
import type { Check } from "../../components/documents/check.ts";
import { emptyWorld, type Packet, type Pod, type World } from "../model/calico/objects.ts";
import { NODES, passesHosts } from "./at-hosts.ts";

const MACHINES: Record<string, string> = { client1: "172.31.1.55", client2: "172.31.1.162" };
const FIELDS: Record<string, keyof World> = {
  "v1 Namespace": "namespaces",
  "v1 ServiceAccount": "serviceAccounts",
  "v1 Pod": "pods",
  "networking.k8s.io/v1 NetworkPolicy": "networkPolicies",
  "projectcalico.org/v3 NetworkPolicy": "calicoNetworkPolicies",
  "projectcalico.org/v3 GlobalNetworkPolicy": "globalNetworkPolicies",
  "projectcalico.org/v3 Tier": "tiers",
  "projectcalico.org/v3 NetworkSet": "networkSets",
  "projectcalico.org/v3 GlobalNetworkSet": "globalNetworkSets",
  "projectcalico.org/v3 HostEndpoint": "hostEndpoints",
  "projectcalico.org/v3 KubeControllersConfiguration": "kubeControllersConfigurations",
  "projectcalico.org/v3 FelixConfiguration": "felixConfigurations",
  "policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy": "clusterNetworkPolicies",
};

type Outcome = "allowed" | "dropped";
type Expectation = Check["steps"][number]["expect"][number];
interface Service {
  metadata: { name: string; namespace: string };
  spec: { selector: Record<string, string>; ports: { port: number; targetPort?: number; nodePort?: number }[] };
}
interface Item {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
}

export class SpecCluster {
  readonly #objects = new Map<string, Item>();

  apply(objects: readonly Item[]): void {
    for (const item of objects) this.#objects.set(keyOf(item), item);
  }

  delete(objects: readonly Item[]): void {
    for (const item of objects) {
      if (!this.#objects.delete(keyOf(item))) throw new Error(`${keyOf(item)} does not exist`);
    }
  }

  /** "allowed" or "dropped", by the policies of both ends and of the host endpoints on the way; undefined: this evaluator knows nothing of it. */
  verdictOf({ from: { text: from }, to: { text: to }, sourcePort, icmp }: Expectation): Outcome | undefined {
    const world = this.#world();
    const sender = this.#pod(world, from);
    const process = /^node\/(\w+)$/.exec(from)?.[1];
    const source = MACHINES[from] ?? NODES[process ?? ""] ?? sender?.status.podIPs[0]?.ip;
    const target = this.#target(world, to);
    if (source === undefined || !target) return undefined;
    const [, protocol = ""] = /^(\w+):/.exec(to) ?? [];
    const packet: Packet = {
      source,
      destination: target.address,
      protocol: { tcp: 6, udp: 17, sctp: 132, icmp: 1 }[protocol] ?? 0,
      ...(protocol === "icmp"
        ? { icmp: { type: icmp?.type ?? 8, code: icmp?.code ?? 0 } }
        : { sourcePort: sourcePort ?? 55555, destinationPort: target.port }),
    };
    const { pod, written } = target;
    return passesHosts(world, { process, pod: sender }, { packet, pod, written }) ? "allowed" : "dropped";
  }

  #pod(world: World, text: string): Pod | undefined {
    const [, namespace, name] = /^pod\/([^/]+)\/([^/:]+)/.exec(text) ?? [];
    return world.pods.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
  }

  /** A pod's own port, the only backend of a node port, or a machine. */
  #target(world: World, to: string) {
    const [, host = "", text = "0"] = /^\w+:\/\/(.*?)(?::(\d+))?$/.exec(to) ?? [];
    const port = Number(text);
    const written = { destination: host, destinationPort: port };
    const at = (pod: Pod, own: number) => ({ pod, written, address: pod.status.podIPs[0]?.ip ?? "", port: own });
    const pod = this.#pod(world, host);
    if (pod) return at(pod, port);
    for (const { metadata, spec } of this.#services()) {
      const found = spec.ports.find(({ nodePort }) => nodePort === port);
      const backend = found && world.pods.find((one) => isBackend(spec.selector, metadata.namespace, one));
      if (backend) return at(backend, found.targetPort ?? found.port);
    }
    return /^[\d.]+$/.test(host) ? { pod: undefined, written, address: host, port } : undefined;
  }

  #services(): Service[] {
    return [...this.#objects.values()].filter(({ kind }) => kind === "Service") as unknown as Service[];
  }

  #world(): World {
    const world = emptyWorld();
    world.nodes = Object.entries(NODES).map(([name, address]) => ({
      metadata: { name, labels: { "kubernetes.io/hostname": name } },
      status: { addresses: [{ type: "InternalIP", address }] },
    }));
    for (const item of this.#objects.values()) {
      const field = FIELDS[`${item.apiVersion} ${item.kind}`];
      if (field) (world[field] as unknown[]).push(item);
      else if (item.kind !== "Service" && !item.kind.startsWith("Staged"))
        throw new Error(`this evaluator does not know ${item.kind}`);
    }
    world.pods = world.pods.map((pod, index) => ({ ...pod, status: { podIPs: [{ ip: `10.244.0.${index + 1}` }] } }));
    world.endpointSlices = this.#services().map(({ metadata, spec }) => ({
      metadata: { ...metadata, labels: { "kubernetes.io/service-name": metadata.name } },
      ports: spec.ports.map(({ port, targetPort }) => ({ port: targetPort ?? port, protocol: "TCP" })),
      endpoints: world.pods
        .filter((pod) => isBackend(spec.selector, metadata.namespace, pod))
        .map((pod) => ({ addresses: pod.status.podIPs.map(({ ip }) => ip) })),
    }));
    return world;
  }
}

function keyOf({ apiVersion, kind, metadata }: Item): string {
  return `${apiVersion} ${kind} ${metadata.namespace ?? ""}/${metadata.name}`;
}

function isBackend(selector: Record<string, string>, namespace: string, { metadata }: Pod): boolean {
  return (
    metadata.namespace === namespace &&
    Object.entries(selector).every(([key, value]) => metadata.labels?.[key] === value)
  );
}
