// Cases across the cluster's edge: node ports, host ports, large packets, and traffic that leaves the cluster.
import { familyOf } from "../../model/address/address.ts";
import { nodesOf, type SuiteFacts } from "./facts.ts";
import {
  asking,
  CLIENT,
  eachFamily,
  expecting,
  FAR,
  type Group,
  KUBELET,
  NEAR,
  NO_CLIENT,
  ONE_NODE,
  without,
} from "./group.ts";
import { NAMESPACE, PORTS, SERVICE_PORT } from "./objects.ts";

const web = `${NAMESPACE}/app=web`;

/** The port of the suite's server on a machine. */
export const OUTSIDE = 18_080;

export function nodePorts(facts: SuiteFacts): Group {
  const { clients, keepsSource, serviceFamilies, nodePorts: ports } = facts;
  const nodes = nodesOf(facts);
  const own = (name: string) => (keepsSource ? { source: name } : {});
  const rows = nodes.flatMap((node) => {
    const to = (protocol: string) => `${protocol}://node/${node.name}:${ports.anyNode}`;
    const inside = eachFamily(
      serviceFamilies,
      (family) => {
        const allowed = expecting(family)("allowed");
        return [...nodes.map(({ name }) => `node/${name}`), CLIENT].flatMap((from) => [
          allowed(from, to("tcp"), { servers: [web] }),
          allowed(from, to("udp"), { servers: [web] }),
        ]);
      },
      ...nodes,
    );
    const outside = clients.flatMap((machine) =>
      eachFamily(
        serviceFamilies,
        (family) => {
          const allowed = expecting(family)("allowed");
          return [
            allowed(machine.name, to("tcp"), { count: 10, servers: [web], ...own(machine.name) }),
            allowed(machine.name, to("udp"), { count: 10, servers: [web], ...own(machine.name) }),
          ];
        },
        machine,
        node,
      ),
    );
    return [...inside, ...outside];
  });
  return {
    name: "NodePort",
    expect: rows,
    skipped: [
      ...without(clients.length > 0, "node ports from outside of the cluster", NO_CLIENT),
      ...without(
        keepsSource,
        "the source address at node ports of every node",
        "Kubernetes does not promise it with externalTrafficPolicy: Cluster, and kube-proxy masquerades",
      ),
    ],
  };
}

/** `externalTrafficPolicy: Local`: only the node of the pod answers, and the pod sees the client, with every engine. */
export function localOnly(facts: SuiteFacts): Group {
  const { clients, far: other, serviceFamilies, nodePorts: ports } = facts;
  const home = other ?? facts.near;
  const servers = [`${NAMESPACE}/role=guarded`];
  const rows = clients.flatMap((machine) =>
    eachFamily(
      serviceFamilies,
      (family) => {
        const [allowed, dropped] = [expecting(family)("allowed"), expecting(family)("dropped")];
        const to = (protocol: string, node: string) => `${protocol}://node/${node}:${ports.localOnly}`;
        return [
          allowed(machine.name, to("tcp", home.name), { servers, source: machine.name }),
          allowed(machine.name, to("udp", home.name), { servers, source: machine.name }),
          ...(other ? [dropped(machine.name, to("tcp", facts.near.name))] : []),
        ];
      },
      machine,
      ...nodesOf(facts),
    ),
  );
  const inside = other
    ? [expecting()("allowed")(`node/${facts.near.name}`, `tcp://node/${home.name}:${ports.localOnly}`, { servers })]
    : [];
  return {
    name: "externalTrafficPolicy: Local",
    expect: [...inside, ...rows],
    skipped: [
      ...without(clients.length > 0, "the source address and the node without a pod", NO_CLIENT),
      ...without(other !== undefined, "a node without a pod of the Service", ONE_NODE),
    ],
  };
}

export function hostPorts(facts: SuiteFacts): Group {
  const allowed = expecting()("allowed");
  const from = [
    ...(facts.far ? [`node/${facts.far.name}`, FAR] : []),
    CLIENT,
    ...facts.clients.map(({ name }) => name),
  ];
  const servers = [`${NAMESPACE}/host-port`];
  return {
    name: "hostPort",
    expect: from.flatMap((one) =>
      ["tcp", "udp"].map((protocol) =>
        allowed(one, `${protocol}://node/${facts.near.name}:${facts.hostPort}`, { servers }),
      ),
    ),
    skipped: without(facts.clients.length > 0, "host ports from outside of the cluster", NO_CLIENT),
  };
}

/** Headers of UDP and IP, which a datagram's data leaves room for. */
const HEADERS = { IPv4: 28, IPv6: 48 };

/**
 * Datagrams that fit exactly into the usual MTUs of pods (1500, less VXLAN, WireGuard or a cloud's), and one byte more, so that whatever the
 * MTU is, one at it, one above it and, with 60,000 bytes, dozens of fragments are sent.
 */
const MTUS = [1400, 1420, 1450, 1480, 1500, 8951, 9001];

/**
 * Fits the smallest MTU of IPv6. Where an entry node wraps what it forwards, the first larger datagram of a client is lost, by the
 * standard: routers do not cut it, and the sender is told the size that fits (RFC 8200 section 5).
 */
const IPV6_DATAGRAM = 1280 - HEADERS.IPv6;

export function largePackets(facts: SuiteFacts): Group {
  const target = facts.far ? FAR : NEAR;
  const inside = eachFamily(facts.podFamilies, (family) => {
    const allowed = expecting(family)("allowed");
    const room = HEADERS[family ?? facts.podFamilies[0] ?? "IPv4"];
    const sizes = [...MTUS.flatMap((mtu) => [mtu - room, mtu - room + 1]), 60_000];
    return [
      ...sizes.map((size) => allowed(CLIENT, `udp://${target}:${PORTS.open}`, { size })),
      allowed(CLIENT, `tcp://${target}:${PORTS.open}`, { size: 1_000_000 }),
      allowed(CLIENT, `icmp://${target}`, { size: 4000 }),
    ];
  });
  const service = (protocol: string) => `${protocol}://service/${NAMESPACE}/web:${SERVICE_PORT}`;
  const through = eachFamily(facts.serviceFamilies, (family) => {
    const allowed = expecting(family)("allowed");
    return [
      allowed(CLIENT, service("udp"), { size: 8000 }),
      allowed(CLIENT, service("tcp"), { size: 1_000_000 }),
      ...facts.clients.flatMap(({ name, families }) => {
        if (family && !families.includes(family)) return [];
        const to = (protocol: string) => `${protocol}://node/${facts.near.name}:${facts.nodePorts.anyNode}`;
        return [
          allowed(name, to("udp"), { size: (family ?? facts.serviceFamilies[0]) === "IPv6" ? IPV6_DATAGRAM : 8000 }),
          allowed(name, to("tcp"), { size: 1_000_000 }),
        ];
      }),
    ];
  });
  return {
    name: "MTU and large packets",
    expect: [...inside, ...through],
    skipped: without(facts.clients.length > 0, "large packets from outside of the cluster", NO_CLIENT),
  };
}

/** The machine on which the suite runs a server: the first that can. */
export const outsideServer = ({ clients }: SuiteFacts) => clients.find(({ listens }) => listens);

/** What pods reach outside of the pod network, without the internet. */
export function egress(facts: SuiteFacts): Group {
  const allowed = expecting()("allowed");
  const outside = outsideServer(facts);
  const from = asking(facts);
  const addresses = (outside?.addresses ?? []).filter((address) =>
    facts.masqueraded.some((family) => family === familyOf(address)),
  );
  const unanswered = facts.podFamilies.filter((family) => !facts.masqueraded.includes(family));
  return {
    name: "egress",
    expect: from.flatMap((one) => [
      allowed(one, "tcp://service/default/kubernetes:443"),
      ...nodesOf(facts).map(({ name }) => allowed(one, `tcp://node/${name}:${KUBELET}`)),
      ...addresses.flatMap((address) => {
        const host = familyOf(address) === "IPv6" ? `[${address}]` : address;
        return [
          allowed(one, `tcp://${host}:${OUTSIDE}`),
          allowed(one, `udp://${host}:${OUTSIDE}`),
          allowed(one, `udp://${host}:${OUTSIDE}`, { size: 8000 }),
          allowed(one, `icmp://${host}`),
        ];
      }),
    ]),
    skipped: outside
      ? unanswered.map((family) => ({
          what: `pods that reach a machine outside of the cluster over ${family}`,
          why: `no pool is known to masquerade pods' ${family} addresses (natOutgoing), and machines outside need no route to them`,
        }))
      : [
          {
            what: "pods that reach a machine outside of the cluster",
            why: facts.clients.length > 0 ? "probe servers run on machines of a lab, not over SSH" : NO_CLIENT,
          },
        ],
  };
}
