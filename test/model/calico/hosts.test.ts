// Hand-written tables from Calico's documentation: host endpoints.
import { expect, test } from "vitest";
import { type HostQuestion, hostVerdict } from "./hosts.ts";
import type { GlobalPolicy, HostEndpoint, World } from "./objects.ts";
import { ALLOW, DENY, globalPolicy, PASS, packetOf, smallWorld, tier } from "./small-world.ts";

function endpoint(name: string, interfaceName: string, more: Partial<HostEndpoint["spec"]> = {}): HostEndpoint {
  return { metadata: { name, labels: { role: name } }, spec: { node: "master", interfaceName, ...more } };
}
const MANUAL = endpoint("manual", "eth0");
const AUTOMATIC = endpoint("automatic", "*", {
  expectedIPs: ["172.31.1.8"],
  profiles: ["projectcalico-default-allow"],
});
const host = (name: string, spec: GlobalPolicy["spec"]) => globalPolicy(name, { selector: "has(role)", ...spec });

/** At eth0 of master: what client sends to the node, what the node sends to client, what client sends to the pod web, what web sends to client. */
function verdicts(parts: Partial<World>, what = "tcp/9000"): string {
  const world = smallWorld(parts);
  const ask = (packet: string, more: Pick<HostQuestion, "direction" | "way">, ends = {}) =>
    hostVerdict(world, {
      node: "master",
      interface: { name: "eth0", addresses: ["172.31.1.8"] },
      packet: { ...packetOf(packet), ...ends },
      ...more,
    });
  return [
    ask(`client -> web ${what}`, { direction: "ingress", way: "own" }, { destination: "172.31.1.8" }),
    ask(`web -> client ${what}`, { direction: "egress", way: "own" }, { source: "172.31.1.8" }),
    ask(`client -> web ${what}`, { direction: "ingress", way: "forwarded" }),
    ask(`web -> client ${what}`, { direction: "egress", way: "forwarded" }),
  ].join(" ");
}

test.each<[string, Partial<World>, string]>([
  ["no host endpoint", { globalNetworkPolicies: [host("a", { ingress: [DENY] })] }, "allow allow allow allow"],
  [
    "a manual one is closed for the node, and not for what is forwarded",
    { hostEndpoints: [MANUAL] },
    "deny deny allow allow",
  ],
  ["an automatic one is open", { hostEndpoints: [AUTOMATIC] }, "allow allow allow allow"],
  ["that of an interface counts before that of all", { hostEndpoints: [AUTOMATIC, MANUAL] }, "deny deny allow allow"],
  ["one of another node", { hostEndpoints: [endpoint("other", "eth0", { node: "node" })] }, "allow allow allow allow"],
  ["one of another interface", { hostEndpoints: [endpoint("other", "eth1")] }, "allow allow allow allow"],
  [
    "by its address",
    {
      hostEndpoints: [{ metadata: { name: "x" }, spec: { node: "master", expectedIPs: ["172.31.1.8"] } }],
    },
    "deny deny allow allow",
  ],
  [
    "the first by name",
    {
      hostEndpoints: [endpoint("b", "eth0"), endpoint("a", "eth0", { profiles: ["projectcalico-default-allow"] })],
    },
    "allow allow allow allow",
  ],
  [
    "a policy for ingress leaves egress to the default",
    {
      hostEndpoints: [MANUAL],
      globalNetworkPolicies: [host("a", { ingress: [ALLOW] })],
    },
    "allow deny allow allow",
  ],
  [
    "... which is open for automatic ones",
    {
      hostEndpoints: [AUTOMATIC],
      globalNetworkPolicies: [host("a", { ingress: [DENY] })],
    },
    "deny allow allow allow",
  ],
  [
    "what passes is left to the default",
    {
      hostEndpoints: [MANUAL],
      globalNetworkPolicies: [host("a", { ingress: [PASS] })],
    },
    "deny deny allow allow",
  ],
  [
    "applyOnForward",
    {
      hostEndpoints: [MANUAL],
      globalNetworkPolicies: [host("a", { applyOnForward: true, types: ["Ingress", "Egress"], egress: [ALLOW] })],
    },
    "deny allow deny allow",
  ],
  [
    "what passes applyOnForward is forwarded",
    {
      hostEndpoints: [MANUAL],
      globalNetworkPolicies: [host("a", { applyOnForward: true, ingress: [PASS] })],
    },
    "deny deny allow allow",
  ],
  [
    "preDNAT is for ingress, and before all others",
    {
      hostEndpoints: [MANUAL],
      globalNetworkPolicies: [
        host("a", { order: 10, preDNAT: true, applyOnForward: true, ingress: [ALLOW] }),
        host("b", { order: 1, ingress: [DENY] }),
      ],
    },
    "allow deny allow allow",
  ],
  [
    "what preDNAT does not decide goes on",
    {
      hostEndpoints: [AUTOMATIC],
      globalNetworkPolicies: [host("a", { preDNAT: true, applyOnForward: true })],
    },
    "allow allow allow allow",
  ],
  [
    "doNotTrack is for both directions, leaving only of what the node itself sends",
    {
      hostEndpoints: [AUTOMATIC],
      globalNetworkPolicies: [host("a", { doNotTrack: true, applyOnForward: true, ingress: [DENY], egress: [DENY] })],
    },
    "deny deny deny allow",
  ],
  [
    "tiers hold for hosts",
    {
      hostEndpoints: [AUTOMATIC],
      tiers: [tier("early", 1)],
      globalNetworkPolicies: [host("a", { tier: "early", types: ["Ingress"] }), host("b", { ingress: [ALLOW] })],
    },
    "deny allow allow allow",
  ],
  [
    "a policy with a namespaceSelector is for pods",
    {
      hostEndpoints: [AUTOMATIC],
      globalNetworkPolicies: [globalPolicy("a", { namespaceSelector: "all()", ingress: [DENY] })],
    },
    "allow allow allow allow",
  ],
])("%s", (_, parts, wanted) => expect(verdicts(parts)).toBe(wanted));

test("fail-safe ports stay open for the node itself", () => {
  const closed = {
    hostEndpoints: [MANUAL],
    globalNetworkPolicies: [host("a", { applyOnForward: true, ingress: [DENY], egress: [DENY] })],
  };
  expect(verdicts(closed, "tcp/22")).toBe("allow deny deny deny");
  expect(verdicts(closed, "udp/53")).toBe("deny allow deny deny");
  expect(verdicts(closed, "tcp/6443")).toBe("allow allow deny deny");
});

test("preDNAT sees what the client wrote, others the backend", () => {
  const written = { destination: "172.31.1.8", destinationPort: 30080 };
  const question: HostQuestion = {
    node: "master",
    interface: { name: "eth0", addresses: ["172.31.1.8"] },
    direction: "ingress",
    way: "forwarded",
    packet: packetOf("client -> web tcp/8080"),
    written,
  };
  const rule = (port: number) => [{ ...DENY, protocol: "TCP", destination: { ports: [port] } }, ALLOW];
  const ask = (spec: GlobalPolicy["spec"]) =>
    hostVerdict(smallWorld({ hostEndpoints: [MANUAL], globalNetworkPolicies: [host("a", spec)] }), question);
  expect(ask({ preDNAT: true, applyOnForward: true, ingress: rule(30080) })).toBe("deny");
  expect(ask({ preDNAT: true, applyOnForward: true, ingress: rule(8080) })).toBe("allow");
  expect(ask({ applyOnForward: true, ingress: rule(30080) })).toBe("allow");
  expect(ask({ applyOnForward: true, ingress: rule(8080) })).toBe("deny");
});
