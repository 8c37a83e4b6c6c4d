// Cases inside the cluster: names, pods, Services.
import type { SuiteFacts } from "./facts.ts";
import { eachFamily, expecting, type Group, inNamespace, ONE_NODE } from "./group.ts";
import { NAMESPACE, PORTS, SERVICE_PORT } from "./objects.ts";

const [client, near, far] = ["client", "near", "far"].map((name) => inNamespace(name)) as [string, string, string];
const web = `${NAMESPACE}/app=web`;
const service = (name: string, protocol = "tcp", namespace = NAMESPACE): string =>
  `${protocol}://service/${namespace}/${name}:${SERVICE_PORT}`;

export function names(facts: SuiteFacts): Group {
  const allowed = expecting()("allowed");
  const { dns } = facts;
  const asks = facts.far ? [client, far] : [client];
  const last = facts.far ? "far" : "near";
  return {
    name: "DNS",
    expect: [
      ...asks.flatMap((from) => [
        allowed(from, `tcp://web:${SERVICE_PORT}`, { servers: [web] }),
        allowed(from, `tcp://web.${NAMESPACE}:${SERVICE_PORT}`, { servers: [web] }),
        allowed(from, `udp://web.${NAMESPACE}.svc:${SERVICE_PORT}`, { servers: [web] }),
        allowed(from, `tcp://headless:${PORTS.open}`, { servers: [web] }),
        allowed(from, `tcp://${last}.headless:${PORTS.open}`, { servers: [`${NAMESPACE}/${last}`] }),
        ...(dns ? [allowed(from, `udp://service/${dns}:53`)] : []),
      ]),
      ...(dns ? [allowed(`node/${facts.near.name}`, `udp://service/${dns}:53`)] : []),
    ],
    skipped: dns
      ? []
      : [{ what: "queries to the DNS Service", why: "no Service in kube-system has the label k8s-app=kube-dns" }],
  };
}

export function pods(facts: SuiteFacts): Group {
  const { near: nearNode, far: farNode } = facts;
  const places = [nearNode, ...(farNode ? [farNode] : [])];
  const to = (protocol: string, target: string) =>
    protocol === "icmp" ? `icmp://${target}` : `${protocol}://${target}:${PORTS.open}`;
  const between = eachFamily(facts.podFamilies, (family) => {
    const [allowed, rejected] = [expecting(family)("allowed"), expecting(family)("rejected")];
    const pairs = [
      [client, near],
      ...(farNode
        ? [
            [client, far],
            [far, client],
          ]
        : []),
    ] as [string, string][];
    return pairs.flatMap(([from, target]) => [
      allowed(from, to("tcp", target), { source: from }),
      allowed(from, to("udp", target), { source: from }),
      allowed(from, to("icmp", target)),
      rejected(from, `tcp://${target}:9`),
    ]);
  });
  const nodes = eachFamily(
    facts.podFamilies,
    (family) => {
      const allowed = expecting(family)("allowed");
      return places.flatMap(({ name }) => [
        allowed(`node/${name}`, to("tcp", client)),
        allowed(`node/${name}`, to("udp", client)),
        allowed(`node/${name}`, to("icmp", client)),
        allowed(client, `icmp://node/${name}`),
      ]);
    },
    ...places,
  );
  return {
    name: "pods",
    expect: [...between, ...nodes],
    skipped: farNode ? [] : [{ what: "pods and nodes that reach pods of another node", why: ONE_NODE }],
  };
}

export function services(facts: SuiteFacts): Group {
  const { far: farNode, near: nearNode } = facts;
  const nodes = [nearNode, ...(farNode ? [farNode] : [])];
  const asks = [client, ...(farNode ? [far] : [])];
  const spread = farNode ? { count: 20, distinct: { atLeast: 2 } } : { servers: [web] };
  return {
    name: "Services",
    expect: eachFamily(facts.serviceFamilies, (family) => {
      const [allowed, rejected] = [expecting(family)("allowed"), expecting(family)("rejected")];
      return [
        ...asks.flatMap((from) => [
          allowed(from, service("web"), spread),
          allowed(from, service("web", "udp"), spread),
          allowed(from, service("sticky"), { count: 10, distinct: { atMost: 1 } }),
          allowed(from, service("sticky", "udp"), { count: 10, distinct: { atMost: 1 } }),
          rejected(from, service("nobody")),
          allowed(from, service("same-node"), {
            count: 5,
            servers: [`${NAMESPACE}/${from === far ? "far" : "near"}`],
          }),
        ]),
        // The pod is its own server.
        allowed(client, service("hairpin"), { servers: [`${NAMESPACE}/client`] }),
        allowed(client, service("hairpin", "udp"), { servers: [`${NAMESPACE}/client`] }),
        ...nodes.flatMap(({ name }) => [
          allowed(`node/${name}`, service("web")),
          allowed(`node/${name}`, service("web", "udp")),
          rejected(`node/${name}`, service("nobody")),
        ]),
      ];
    }),
    skipped: farNode ? [] : [{ what: "Services whose pods are on several nodes", why: ONE_NODE }],
  };
}
