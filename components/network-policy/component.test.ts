import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { recordResources, settled } from "../testing/program.ts";
import { LabelSelectorOperator, type NetworkPolicyArgs, PolicyType, Protocol } from "./args.ts";
import { NetworkPolicy } from "./component.ts";

async function specOf(args: Partial<NetworkPolicyArgs>): Promise<unknown> {
  const resources = await recordResources();
  new NetworkPolicy("policy", { name: "policy", ...args });
  await settled();
  return resources.find(({ type }) => type.startsWith("kubernetes:"))?.inputs.spec;
}

test.each<[string, Partial<NetworkPolicyArgs>, object]>([
  ["nothing given: all pods, no ingress", {}, { policyTypes: ["Ingress"] }],
  ["only egress rules: ingress too", { egress: [{}] }, { policyTypes: ["Ingress", "Egress"], egress: [{}] }],
  ["only ingress rules", { ingress: [{}] }, { policyTypes: ["Ingress"], ingress: [{}] }],
  ["egress alone", { policyTypes: [PolicyType.Egress] }, { policyTypes: ["Egress"] }],
  ["no direction given is the defaults", { policyTypes: [], ingress: [] }, { policyTypes: ["Ingress"], ingress: [] }],
])("NetworkPolicy isolates as Kubernetes does: %s", async (_, args, spec) => {
  expect(await specOf(args)).toEqual({ podSelector: {}, ...spec });
});

test("NetworkPolicy says everything that Kubernetes can say, in its words", async () => {
  const args: Partial<NetworkPolicyArgs> = {
    podSelector: {
      matchLabels: { app: "nginx" },
      matchExpressions: [
        { key: "tier", operator: LabelSelectorOperator.In, values: ["web", "edge"] },
        { key: "example.com/old", operator: LabelSelectorOperator.DoesNotExist },
      ],
    },
    policyTypes: [PolicyType.Ingress, PolicyType.Egress],
    ingress: [
      {
        from: [{ namespaceSelector: { matchLabels: { team: "shop" } }, podSelector: {} }],
        ports: [{ port: "http" }, { port: 8000, endPort: 8100 }],
      },
    ],
    egress: [
      { to: [{ namespaceSelector: {} }], ports: [{ protocol: Protocol.Udp, port: 53 }, { protocol: Protocol.Udp }] },
    ],
  };
  const [ingress, egress] = [args.ingress?.[0], args.egress?.[0]];
  expect(await specOf(args)).toEqual({
    ...args,
    ingress: [
      {
        ...ingress,
        ports: [
          { protocol: "TCP", port: "http" },
          { protocol: "TCP", port: 8000, endPort: 8100 },
        ],
      },
    ],
    egress: [egress],
  });
});

test("NetworkPolicy takes what another resource yields, and looks at it then", async () => {
  const later = pulumi.output<string>;
  const spec = await specOf({
    podSelector: pulumi.output({ matchLabels: { app: "nginx" } }),
    ingress: [
      {
        from: [
          { ipBlock: { cidr: later("203.0.113.0/24"), except: [later("203.0.113.7/32")] } },
          { podSelector: { matchLabels: { app: later("web") } } },
        ],
        ports: [{ port: pulumi.output(80) }],
      },
    ],
  });
  expect(spec).toMatchObject({
    podSelector: { matchLabels: { app: "nginx" } },
    ingress: [
      {
        from: [
          { ipBlock: { cidr: "203.0.113.0/24", except: ["203.0.113.7/32"] } },
          { podSelector: { matchLabels: { app: "web" } } },
        ],
        ports: [{ protocol: "TCP", port: 80 }],
      },
    ],
  });
});

const block = (cidr: string, ...except: string[]) => ({ ingress: [{ from: [{ ipBlock: { cidr, except } }] }] });
const port = (written: object) => ({ ingress: [{ ports: [written] }] });
const pods = (selector: object) => ({ podSelector: selector });

test.each<[object, string]>([
  [{ namespace: "Default" }, 'NetworkPolicy "p": namespace is "Default"'],
  [{ policyTypes: ["Inbound"] }, 'policyTypes[0] is "Inbound", but must be "Ingress" or "Egress"'],
  [
    { policyTypes: ["Egress"], ingress: [] },
    'policyTypes is ["Egress"], but must be with "Ingress" too, since ingress',
  ],
  [{ egress: [] }, "egress is [], but must be at least one rule, or given with policyTypes"],
  [block("172.31.1.55"), "ingress[0].from[0].ipBlock.cidr is"],
  [block("0.0.0.0/0", "x"), "ipBlock.except[0] is"],
  [block("10.0.0.0/8", "192.168.0.0/16"), "must be a part of cidr 10.0.0.0/8, and smaller than it"],
  [block("10.0.0.0/8", "10.0.0.0/8"), "must be a part of cidr 10.0.0.0/8, and smaller than it"],
  [block("10.0.0.0/8", "8.0.0.0/6"), "must be a part of cidr 10.0.0.0/8, and smaller than it"],
  [{ ingress: [{ from: [{}] }] }, "ingress[0].from[0] is [], but must be either an ipBlock, or a podSelector"],
  [{ ingress: [{ from: [{ podSelector: {}, ipBlock: { cidr: "10.0.0.0/8" } }] }] }, "either an ipBlock"],
  [{ ingress: [{ from: [] }] }, "ingress[0].from is [], but must be at least one peer, or left out to allow everybody"],
  [{ ingress: [{ from: undefined }] }, "ingress[0].from is undefined, but must be given, or not be written at all"],
  [{ ingress: [{ from: null }] }, "ingress[0].from is null, but must be a list"],
  [{ ingress: [{ ports: [] }] }, "ingress[0].ports is [], but must be at least one port"],
  [{ ingress: [null] }, "ingress[0] is null, but must be an object with from, ports"],
  [{ ingress: {} }, "ingress is {}, but must be a list"],
  [{ podSelector: undefined }, "podSelector is undefined, but must be given"],
  [{ ingress: [{ peers: [] }] }, 'ingress[0]: unknown key "peers"; sources are "from" (allowed: from, ports)'],
  [{ ingress: [{ form: [] }] }, 'ingress[0]: unknown key "form"; did you mean "from"?'],
  [{ egress: [{ from: [] }] }, 'egress[0]: unknown key "from"; destinations are "to"'],
  [{ spec: {} }, 'NetworkPolicy "p": unknown key "spec"; its fields stand here'],
  [pods({ app: "nginx" }), 'podSelector: unknown key "app"; labels stand in matchLabels: { "app": … }'],
  [pods({ matchLables: { app: "nginx" } }), 'did you mean "matchLabels"?'],
  [pods({ matchLabels: { app: 1 } }), 'podSelector.matchLabels.app is 1, but must be a text (did you mean "1"?)'],
  [pods({ matchLabels: { app: "a b" } }), "must be the value of a label"],
  [pods({ matchLabels: { "a/b/c": "" } }), "must be the key of a label"],
  [pods({ matchExpressions: [{ key: "app", operator: "in", values: ["a"] }] }), '(did you mean "In"?)'],
  [pods({ matchExpressions: [{ key: "app", operator: "In" }] }), "at least one value for the operator"],
  [pods({ matchExpressions: [{ key: "app", operator: "Exists", values: ["a"] }] }), "absent for the operator"],
  [{ egress: [{ ports: [{ port: 0 }] }] }, "egress[0].ports[0].port is 0, but must be a whole number from 1 to 65535"],
  [port({ port: "80" }), "(did you mean 80, without quotes?)"],
  [port({ port: "-http" }), "the name of a containers' port"],
  [port({ port: 90, endPort: 80 }), "ports[0].port is 90, but must be a number of at most 80, which is endPort"],
  [port({ port: "http", endPort: 80 }), "must be a number of at most 80"],
  [port({ endPort: 80 }), "ports[0].port is undefined, but must be the first port of the range"],
  [port({ protocol: "DCCP" }), 'is "DCCP", but must be "TCP", "UDP" or "SCTP"'],
])("NetworkPolicy refuses %j", async (args, message) => {
  await recordResources();
  expect(() => new NetworkPolicy("p", { name: "p", ...args })).toThrow(message);
});
