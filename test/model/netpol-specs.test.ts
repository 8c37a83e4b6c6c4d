// Kubernetes' own specs of NetworkPolicy ("[sig-network] Netpol"), by their names: what each asserts, asked of the compiled maps and of the evaluator. Three namespaces
// with three pods each, which serve TCP, UDP and SCTP at 80 and 81. `test/sig-network` asks most of them with packets on a cluster. Not here: "API operations".
import { expect, test } from "vitest";
import { compiledVerdicts } from "./calico/compiled.ts";
import { podEntity } from "./calico/entities.ts";
import { podVerdict, type Verdict } from "./calico/evaluate.ts";
import { emptyWorld, type Pod, type World } from "./calico/objects.ts";
import type { Question } from "./calico/packets.ts";
import { type Case, ingress, of, ROWS } from "./netpol-specs.ts";

const PROTOCOLS = { TCP: 6, UDP: 17, SCTP: 132 };
const ALL = ["x/a", "x/b", "x/c", "y/a", "y/b", "y/c", "z/a", "z/b", "z/c"];
const addressOf = (name: string) => `10.244.0.${ALL.indexOf(name) + 1}`;
const outside = "172.31.1.55";

function worldOf({ policies, labels = {} }: Case): World {
  const pods = ALL.map((name): Pod => {
    const [namespace = "", pod = ""] = name.split("/");
    const ports = Object.keys(PROTOCOLS).flatMap((protocol) =>
      [80, 81].map((port) => ({ name: `serve-${port}-${protocol.toLowerCase()}`, containerPort: port, protocol })),
    );
    return {
      metadata: { name: pod, namespace, labels: { pod, ...labels[name] } },
      spec: { nodeName: "master", containers: [{ ports }] },
      status: { podIPs: [{ ip: addressOf(name) }] },
    };
  });
  const namespaces = ["x", "y", "z"].map((name) => ({
    metadata: { name, labels: { ns: name, "kubernetes.io/metadata.name": name, ...labels[name] } },
  }));
  return { ...emptyWorld(), pods, namespaces, networkPolicies: [...policies] };
}

/** Who reaches whom, by both answers, which are the same. */
function reach(one: Case) {
  const world = worldOf(one);
  const compiled = compiledVerdicts(world);
  const verdict = (question: Question): Verdict => {
    const right = podVerdict(world, podEntity(world, question.pod), question.direction, question.packet);
    expect(compiled(question)).toBe(right);
    return right;
  };
  const allows = (from: string, to: string, protocol: keyof typeof PROTOCOLS, port: number) => {
    const [source, destination] = [from, to].map((name) => (name === "outside" ? outside : addressOf(name)));
    const packet = { source, destination, protocol: PROTOCOLS[protocol], sourcePort: 40_000, destinationPort: port };
    return (["egress", "ingress"] as const).every((direction) => {
      const subject = world.pods[ALL.indexOf(direction === "egress" ? from : to)];
      return !subject || verdict({ pod: subject, direction, packet: packet as Question["packet"] }) === "allow";
    });
  };
  const others = [...ALL, "outside"];
  const text = (names: string[]) => (names.length === 9 ? "all" : names.join(" "));
  return {
    /** Who reaches the pod. */
    to: (name: string, protocol: keyof typeof PROTOCOLS = "TCP", port = 80) =>
      text(others.filter((other) => other !== name && allows(other, name, protocol, port))),
    from: (name: string, protocol: keyof typeof PROTOCOLS = "TCP", port = 80) =>
      text(others.filter((other) => other !== name && allows(name, other, protocol, port))),
  };
}

test.each(ROWS)("%s", (_, policies, answers, labels) => {
  const asked = reach({ policies, ...(labels && { labels }) });
  const found = answers.map(([who]): [string, string] => {
    const [way = "", name = "", protocol = "TCP", port = "80"] = who.split(" ");
    return [who, asked[way as "to" | "from"](name, protocol as keyof typeof PROTOCOLS, Number(port))];
  });
  expect(found).toEqual(answers);
});

test("should enforce updated policy: one world after the other, with the same objects", () => {
  const before = ingress([{ podSelector: of({ pod: "b" }) }]);
  const after = { ...before, spec: { ...before.spec, ingress: [{ from: [{ podSelector: of({ pod: "c" }) }] }] } };
  expect([before, after].map((one) => reach({ policies: [one] }).to("x/a"))).toEqual(["x/b", "x/c"]);
});
