import type { Address, Family } from "../address/address.ts";
import { canonicalAddress, familyOf, isLoopback, useOf } from "../address/address.ts";
import type { NodeDirectory } from "../node/nodes.ts";
import type { Pod } from "../objects/core.ts";
import { addressesOf, type PlacedPodName, podOwner } from "../objects/pod-of.ts";
import type { Problem } from "../problem.ts";
import { portProtocol } from "../protocol.ts";
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
  /** "": every address of the node, of the families that the pod has. */
  readonly hostIP: string;
  readonly protocol: string;
  readonly number: number | undefined;
  /** Of a container that runs as long as the pod does. */
  readonly lasting: boolean;
}

const EVERY = { IPv4: "0.0.0.0", IPv6: "::" } as const satisfies Record<Family, Address>;

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
  const parts = ports.map((port) => ({ port, refusal: refusal(port, endpoint, nodes) }));
  const asked = parts.flatMap(({ port, refusal }) =>
    refusal ? [] : inFamilies(port, endpoint).flatMap((one) => rules(one, endpoint, nodes)),
  );
  const judged = asked.map((item) => ({ ...item, reason: allowed.refusal(item.claim, item.key) }));
  const frontends = judged.filter(({ reason }) => reason === undefined);
  const lists = [...new Set(frontends.map(({ list }) => list))];
  return {
    ...about,
    frontends: [...new Map(frontends.map((item) => [frontendText(item.key), item])).values()],
    lists,
    clients: [],
    backends: [...new Map(lists.flatMap(({ backends }) => backends.map((one) => [one.name, one] as const))).values()],
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

/** What a pod asks for, whether it is served or not. */
export function hostPorts({ spec }: Pod): HostPort[] {
  return (["initContainers", "containers"] as const).flatMap((list) =>
    spec[list].flatMap(({ ports, restartPolicy }, at) =>
      ports.flatMap(({ hostPort, hostIP, containerPort, protocol }, index): HostPort[] => {
        if (!hostPort) return [];
        const path = `spec.${list}[${at}].ports[${index}]`;
        const lasting = list === "containers" || restartPolicy === "Always";
        const written = { protocol: protocol ?? "TCP", number: portProtocol(protocol) };
        return [{ path, hostPort, containerPort, hostIP: hostIP ?? "", ...written, lasting }];
      }),
    ),
  );
}

/** The field and why this port is not served, whatever other objects there are. */
function refusal(
  { protocol, number, hostIP, lasting }: HostPort,
  endpoint: PlacedPodName,
  nodes: NodeDirectory,
): [string, string] | undefined {
  if (!lasting) return ["hostPort", "not served: this init container ends (restartPolicy: Always makes it a sidecar)."];
  if (number === undefined)
    return ["protocol", `${protocol} is not supported (TCP, UDP, SCTP are); this port is not served.`];
  if (hostIP === "" || atNode(hostIP, nodes).length > 0) {
    const family = familyOf(hostIP);
    if (family === undefined || podAddress(endpoint, family)) return undefined;
    return ["hostIP", `${hostIP} is ${family}, and the pod has no ${family} address; this port is not served.`];
  }
  return ["hostIP", `${hostIP} is no address of node ${nodes.facts.nodeName}; this port is not served.`];
}

/** Without a hostIP the port is asked for at every address of each family that the pod has. */
function inFamilies(port: HostPort, endpoint: PlacedPodName): readonly HostPort[] {
  if (port.hostIP !== "") return [port];
  return addressesOf(endpoint).map((address) => ({ ...port, hostIP: EVERY[familyOf(address) ?? "IPv4"] }));
}

/** Where the port is asked for: every address of this node of that family, or the one that is given. */
function atNode(hostIP: string, { facts, addresses }: NodeDirectory): readonly Address[] {
  const address = canonicalAddress(hostIP);
  const family = familyOf(hostIP);
  if (!address || !family) return [];
  if (isLoopback(address)) return [NODE_LOOPBACK[family]];
  const own = [...addresses].flatMap(([one, node]) =>
    node === facts.nodeName && familyOf(one) === family && !isLoopback(one) ? [one] : [],
  );
  if (useOf(address) === "unspecified") return [...own, NODE_LOOPBACK[family]];
  return own.filter((one) => one === address);
}

function podAddress(endpoint: PlacedPodName, family: Family): Address | undefined {
  return addressesOf(endpoint).find((address) => familyOf(address) === family);
}

function rules(port: HostPort, endpoint: PlacedPodName, nodes: NodeDirectory): ServedFrontend[] {
  if (port.number === undefined) return [];
  const protocol = port.number;
  const name = `${podOwner(endpoint)}:${port.hostPort}/${port.protocol}/${port.hostIP}`;
  const family = familyOf(port.hostIP) ?? "IPv4";
  const backend = podAddress(endpoint, family) ?? endpoint.address;
  const list = clusterList(name, [podHere(backend, port.containerPort, protocol, nodes)]);
  return atNode(port.hostIP, nodes).map((address) => ({
    key: { address, port: port.hostPort, protocol },
    family,
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
