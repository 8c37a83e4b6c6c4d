import type { Address } from "../address/address.ts";
import { canonicalAddress, familyOf, isLoopback, useOf } from "../address/address.ts";
import type { NodeDirectory } from "../node/nodes.ts";
import type { Pod } from "../objects/core.ts";
import { type PlacedPodName, podOwner } from "../objects/pod-of.ts";
import type { Problem } from "../problem.ts";
import { TCP, UDP } from "../protocol.ts";
import { clusterList } from "./backend-lists.ts";
import { podHere } from "./backends.ts";
import { frontendText, NODE_LOOPBACK } from "./frontend.ts";
import { notServed } from "./frontend-claims.ts";
import type { FrontendRules } from "./frontend-rules.ts";
import { type CompiledService, NOTHING, type ServedFrontend } from "./service.ts";

interface HostPort {
  /** "spec.containers[0].ports[1]" */
  readonly path: string;
  readonly hostPort: number;
  readonly containerPort: number;
  readonly hostIP: string;
  readonly protocol: string;
  /** Of a container that runs as long as the pod does. */
  readonly lasting: boolean;
}

/** Host ports of one pod. */
const MOST = 512;

export function hasHostPorts({ spec }: Pod): boolean {
  return [spec.initContainers, spec.containers].some((list) =>
    list.some(({ ports }) => ports.some(({ hostPort }) => hostPort)),
  );
}

/** What the CNI plugin portmap does for one pod of this node: its host ports at the node's own addresses and loopback, or at
 * `hostIP` alone, each with the pod as its one backend, ready or not. */
export function compilePod(
  pod: Pod,
  endpoint: PlacedPodName,
  nodes: NodeDirectory,
  allowed: FrontendRules,
): CompiledService {
  const about = { owner: podOwner(endpoint), kind: "Pod", object: pod };
  const ports = hostPorts(pod);
  if (ports.length > MOST) return { ...about, ...NOTHING, problems: [tooMany(pod, ports)] };
  const parts = ports.map((port) => ({ port, refusal: refusal(port, nodes) }));
  const asked = parts.flatMap(({ port, refusal }) => (refusal ? [] : rules(port, endpoint, nodes)));
  const judged = asked.map((item) => ({ ...item, reason: allowed.refusal(item.claim, item.key) }));
  const frontends = judged.filter(({ reason }) => reason === undefined);
  const lists = [...new Set(frontends.map(({ list }) => list))];
  return {
    ...about,
    frontends: [...new Map(frontends.map((item) => [frontendText(item.key), item])).values()],
    lists,
    clients: [],
    backends: [...new Map(lists.flatMap(({ backends }) => backends.map((one) => [one.name.name, one]))).values()],
    problems: [
      ...parts.flatMap(({ port, refusal }) => (refusal ? [problem(pod, port, refusal)] : [])),
      ...notServed(
        about,
        judged.flatMap(({ reason, ...rule }) => (reason ? [{ rule, reason }] : [])),
      ),
    ],
  };
}

function tooMany({ metadata }: Pod, ports: readonly HostPort[]): Problem {
  const message = `has ${ports.length} host ports; one pod may have ${MOST}. None is served. Next: use hostNetwork.`;
  return { kind: "Pod", namespace: metadata.namespace ?? undefined, name: metadata.name, path: "spec", message };
}

function hostPorts({ spec }: Pod): HostPort[] {
  return (["initContainers", "containers"] as const).flatMap((list) =>
    spec[list].flatMap(({ ports, restartPolicy }, at) =>
      ports.flatMap(({ hostPort, hostIP, containerPort, protocol }, index): HostPort[] => {
        if (!hostPort) return [];
        const path = `spec.${list}[${at}].ports[${index}]`;
        const lasting = list === "containers" || restartPolicy === "Always";
        return [{ path, hostPort, containerPort, hostIP: hostIP || "0.0.0.0", protocol: protocol ?? "TCP", lasting }];
      }),
    ),
  );
}

/** The field and why this port is not served, whatever other objects there are. */
function refusal({ protocol, hostIP, lasting }: HostPort, nodes: NodeDirectory): [string, string] | undefined {
  if (!lasting) return ["hostPort", "not served: this init container ends (restartPolicy: Always makes it a sidecar)."];
  if (protocol !== "TCP" && protocol !== "UDP")
    return ["protocol", `${protocol} is not supported (TCP, UDP are); this port is not served.`];
  if (familyOf(hostIP) !== "IPv4") return ["hostIP", "IPv6 is not supported; this port is not served."];
  if (addressesOf(hostIP, nodes).length > 0) return undefined;
  return ["hostIP", `${hostIP} is no address of node ${nodes.facts.nodeName}; this port is not served.`];
}

/** Where the port is asked for: every IPv4 address of this node, or the one that is given. */
function addressesOf(hostIP: string, { facts, addresses }: NodeDirectory): readonly Address[] {
  const address = canonicalAddress(hostIP) ?? "";
  if (isLoopback(address)) return [NODE_LOOPBACK.IPv4];
  const own = [...addresses].flatMap(([one, node]) =>
    node === facts.nodeName && familyOf(one) === "IPv4" && !isLoopback(one) ? [one] : [],
  );
  if (useOf(address) === "unspecified") return [...own, NODE_LOOPBACK.IPv4];
  return own.filter((one) => one === address);
}

function rules(port: HostPort, endpoint: PlacedPodName, nodes: NodeDirectory): ServedFrontend[] {
  const protocol = port.protocol === "UDP" ? UDP : TCP;
  const name = `${podOwner(endpoint)}:${port.hostPort}/${port.protocol}/${port.hostIP}`;
  const list = clusterList(name, [podHere(endpoint.address, port.containerPort, protocol, nodes)]);
  return addressesOf(port.hostIP, nodes).map((address) => ({
    key: { address, port: port.hostPort, protocol },
    family: "IPv4",
    claim: "host port",
    trafficPolicy: "Cluster",
    path: `${port.path}.hostPort`,
    list,
    affinitySeconds: 0,
  }));
}

function problem({ metadata }: Pod, { path }: HostPort, [field, message]: [string, string]): Problem {
  return {
    kind: "Pod",
    namespace: metadata.namespace ?? undefined,
    name: metadata.name,
    path: `${path}.${field}`,
    message,
  };
}
