// Cases inside the cluster: names, pods, Services.
import { nodesOf, type SuiteFacts } from "./facts.ts";
import { asking, CLIENT, eachFamily, expecting, FAR, type Group, NEAR, ONE_NODE, without } from "./group.ts";
import { NAMESPACE, PORTS, SERVICE_PORT } from "./objects.ts";

const web = `${NAMESPACE}/app=web`;
const service = (name: string, protocol = "tcp", namespace = NAMESPACE): string =>
  `${protocol}://service/${namespace}/${name}:${SERVICE_PORT}`;

export function names(facts: SuiteFacts): Group {
  const allowed = expecting()("allowed");
  const { dns } = facts;
  const last = facts.far ? "far" : "near";
  return {
    name: "DNS",
    expect: [
      ...asking(facts).flatMap((from) => [
        allowed(from, `tcp://web:${SERVICE_PORT}`, { servers: [web] }),
        allowed(from, `tcp://web.${NAMESPACE}:${SERVICE_PORT}`, { servers: [web] }),
        allowed(from, `udp://web.${NAMESPACE}.svc:${SERVICE_PORT}`, { servers: [web] }),
        allowed(from, `tcp://headless:${PORTS.open}`, { servers: [web] }),
        allowed(from, `tcp://${last}.headless:${PORTS.open}`, { servers: [`${NAMESPACE}/${last}`] }),
        ...(dns ? [allowed(from, `udp://service/${dns}:53`)] : []),
      ]),
      ...(dns ? [allowed(`node/${facts.near.name}`, `udp://service/${dns}:53`)] : []),
    ],
    skipped: without(
      dns !== undefined,
      "queries to the DNS Service",
      "no Service in kube-system has the label k8s-app=kube-dns",
    ),
  };
}

export function pods(facts: SuiteFacts): Group {
  const places = nodesOf(facts);
  const to = (protocol: string, target: string) =>
    protocol === "icmp" ? `icmp://${target}` : `${protocol}://${target}:${PORTS.open}`;
  const between = eachFamily(facts.podFamilies, (family) => {
    const [allowed, rejected] = [expecting(family)("allowed"), expecting(family)("rejected")];
    const pairs: [string, string][] = [[CLIENT, NEAR]];
    if (facts.far) pairs.push([CLIENT, FAR], [FAR, CLIENT]);
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
        allowed(`node/${name}`, to("tcp", CLIENT)),
        allowed(`node/${name}`, to("udp", CLIENT)),
        allowed(`node/${name}`, to("icmp", CLIENT)),
        allowed(CLIENT, `icmp://node/${name}`),
      ]);
    },
    ...places,
  );
  return {
    name: "pods",
    expect: [...between, ...nodes],
    skipped: without(facts.far !== undefined, "pods and nodes that reach pods of another node", ONE_NODE),
  };
}

export function services(facts: SuiteFacts): Group {
  const spread = facts.far ? { count: 20, distinct: { atLeast: 2 } } : { servers: [web] };
  return {
    name: "Services",
    expect: eachFamily(facts.serviceFamilies, (family) => {
      const [allowed, rejected] = [expecting(family)("allowed"), expecting(family)("rejected")];
      return [
        ...asking(facts).flatMap((from) => [
          allowed(from, service("web"), spread),
          allowed(from, service("web", "udp"), spread),
          allowed(from, service("sticky"), { count: 10, distinct: { atMost: 1 } }),
          allowed(from, service("sticky", "udp"), { count: 10, distinct: { atMost: 1 } }),
          rejected(from, service("nobody")),
          allowed(from, service("same-node"), {
            count: 5,
            servers: [`${NAMESPACE}/${from === FAR ? "far" : "near"}`],
          }),
        ]),
        // The pod is its own server.
        allowed(CLIENT, service("hairpin"), { servers: [`${NAMESPACE}/client`] }),
        allowed(CLIENT, service("hairpin", "udp"), { servers: [`${NAMESPACE}/client`] }),
        ...nodesOf(facts).flatMap(({ name }) => [
          allowed(`node/${name}`, service("web")),
          allowed(`node/${name}`, service("web", "udp")),
          rejected(`node/${name}`, service("nobody")),
        ]),
      ];
    }),
    skipped: without(facts.far !== undefined, "Services whose pods are on several nodes", ONE_NODE),
  };
}
