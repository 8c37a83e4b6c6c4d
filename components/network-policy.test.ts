import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { NetworkPolicy } from "./network-policy.ts";
import { type NetworkPolicyArgs, PolicyType, Protocol } from "./network-policy-args.ts";
import { recordResources, settled } from "./testing/program.ts";

async function specOf(args: Partial<NetworkPolicyArgs>): Promise<unknown> {
  const resources = await recordResources();
  new NetworkPolicy("policy", { name: "policy", ...args });
  await settled();
  return resources.find(({ type }) => type.startsWith("kubernetes:"))?.inputs.spec;
}

test.each<[string, Partial<NetworkPolicyArgs>, object]>([
  ["nothing given: all pods, no ingress", {}, { podSelector: { matchLabels: {} }, policyTypes: ["Ingress"] }],
  ["only egress rules", { egress: [{}] }, { podSelector: { matchLabels: {} }, policyTypes: ["Egress"], egress: [{}] }],
  [
    "pods of other namespaces, UDP",
    {
      policyTypes: [PolicyType.Ingress, PolicyType.Egress],
      egress: [
        {
          peers: [{ namespaceSelector: {}, podSelector: { app: "dns" } }],
          ports: [{ protocol: Protocol.Udp, port: 53 }],
        },
      ],
    },
    {
      podSelector: { matchLabels: {} },
      policyTypes: ["Ingress", "Egress"],
      egress: [
        {
          to: [{ namespaceSelector: { matchLabels: {} }, podSelector: { matchLabels: { app: "dns" } } }],
          ports: [{ protocol: "UDP", port: 53 }],
        },
      ],
    },
  ],
])("NetworkPolicy: %s", async (_, args, spec) => {
  expect(await specOf(args)).toEqual(spec);
});

test("NetworkPolicy takes an address that another resource yields", async () => {
  const cidr = pulumi.output("203.0.113.7/32");
  const spec = await specOf({
    ingress: [{ peers: [{ ipBlock: { cidr, except: [pulumi.output("203.0.113.7/32")] } }] }],
  });
  expect(spec).toMatchObject({
    ingress: [{ from: [{ ipBlock: { cidr: "203.0.113.7/32", except: ["203.0.113.7/32"] } }] }],
  });
});

test.each<[Partial<NetworkPolicyArgs>, string]>([
  [{ namespace: "Default" }, 'NetworkPolicy "p": namespace is "Default"'],
  [{ policyTypes: ["Inbound" as PolicyType] }, 'policyTypes[0] is "Inbound", but must be "Ingress" or "Egress"'],
  [{ ingress: [{ peers: [{ ipBlock: { cidr: "172.31.1.55" } }] }] }, "ingress[0].peers[0].ipBlock.cidr is"],
  [{ ingress: [{ peers: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["x"] } }] }] }, "ipBlock.except[0] is"],
  [{ ingress: [{ peers: [{}] }] }, "ingress[0].peers[0] is [], but must be either an ipBlock, or a podSelector"],
  [{ ingress: [{ peers: [{ podSelector: {}, ipBlock: { cidr: "10.0.0.0/8" } }] }] }, "either an ipBlock"],
  [{ egress: [{ ports: [{ port: 0 }] }] }, "egress[0].ports[0].port is 0, but must be a whole number from 1 to 65535"],
  [{ egress: [{ ports: [{ protocol: "SCTP" as Protocol }] }] }, 'is "SCTP", but must be "TCP" or "UDP"'],
])("NetworkPolicy refuses %j", async (args, message) => {
  await recordResources();
  expect(() => new NetworkPolicy("p", { name: "p", ...args })).toThrow(message);
});
