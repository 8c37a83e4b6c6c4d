// What the owner of one namespace (`lab`) may write, to be taken for somebody whom the policies of another one (`shop`) let in. Each row is asked of the compiled maps,
// and answered otherwise where the claim is true: a row that nothing decides would show nothing.
import { expect, test } from "vitest";
import { compiledVerdicts } from "./calico/compiled.ts";
import type { CalicoPolicy, GlobalPolicy, Pod, Rule, World } from "./calico/objects.ts";
import { ADDRESSES, globalPolicy, packetOf, policy, smallWorld } from "./calico/small-world.ts";

const DB = "app == 'db'";
const lets = (source: Rule["source"]): CalicoPolicy =>
  policy("p", { selector: DB, ingress: [{ action: "Allow", ...(source && { source }) }] });
const letsAnywhere = (source: Rule["source"]): GlobalPolicy =>
  globalPolicy("p", { selector: DB, ingress: [{ action: "Allow", ...(source && { source }) }] });
const kubernetes = (from: object): World["networkPolicies"][number] => ({
  metadata: { name: "p", namespace: "shop" },
  spec: { podSelector: { matchLabels: { app: "db" } }, policyTypes: ["Ingress"], ingress: [{ from: [from] }] },
});
const base = smallWorld();
const pods = (name: string, change: (pod: Pod) => object) =>
  base.pods.map((pod) => (pod.metadata.name === name ? { ...pod, ...change(pod) } : pod)) as Pod[];
const labelled = (name: string, labels: Record<string, string>) =>
  pods(name, ({ metadata }) => ({ metadata: { ...metadata, labels: { ...metadata.labels, ...labels } } }));
const another = (namespace: string, spec: object, status: object) =>
  [
    ...base.pods,
    {
      metadata: { name: "more", namespace, labels: { app: "web" } },
      spec: { nodeName: "node", containers: [], ...spec },
      status,
    },
  ] as unknown as Pod[];
const running = (ip: string) => ({ phase: "Running", podIPs: [{ ip }] });
const slice = (namespace: string, ...addresses: string[]): World["endpointSlices"][number] => ({
  metadata: { name: "web", namespace, labels: { "kubernetes.io/service-name": "web" } },
  addressType: "IPv4",
  ports: [{ port: 80, protocol: "TCP" }],
  endpoints: [{ addresses }],
});
const set = (namespace: string): World["networkSets"][number] => ({
  metadata: { name: "s", namespace, labels: { app: "web" } },
  spec: { nets: [`${ADDRESSES.other}/32`] },
});
const inProd: World["namespaces"] = [
  { metadata: { name: "shop", labels: { team: "a" } } },
  { metadata: { name: "lab", labels: { env: "prod" } } },
];
const NODE = "172.31.1.207";
/** Nodes with automatic host endpoints. */
const withHosts = (labels: Record<string, string>): Partial<World> => ({
  nodes: [
    { metadata: { name: "master" }, status: { addresses: [{ type: "InternalIP", address: "172.31.1.8" }] } },
    { metadata: { name: "node", labels }, status: { addresses: [{ type: "InternalIP", address: NODE }] } },
  ],
  kubeControllersConfigurations: [
    { metadata: { name: "default" }, spec: { controllers: { node: { hostEndpoint: { autoCreate: "Enabled" } } } } },
  ],
});
const webOfShop = kubernetes({ podSelector: { matchLabels: { app: "web" } } });
const notEvil = kubernetes({
  namespaceSelector: { matchExpressions: [{ key: "team", operator: "NotIn", values: ["b"] }] },
});
const pick = (name: keyof typeof ADDRESSES) => ADDRESSES[name];

/** Whose packet is refused with `claim`, and let in with `truth`. */
type Row = [say: string, from: string, claim: Partial<World>, truth: Partial<World>];
const ROWS: Row[] = [
  [
    "the address of a pod that has ended",
    pick("other"),
    {
      pods: another("shop", {}, { phase: "Succeeded", podIPs: [{ ip: ADDRESSES.other }] }),
      networkPolicies: [webOfShop],
    },
    {
      pods: pods("other", ({ metadata }) => ({ metadata: { ...metadata, namespace: "shop", labels: { app: "web" } } })),
      networkPolicies: [webOfShop],
    },
  ],
  [
    "the labels of a pod in the node's network",
    NODE,
    { pods: another("shop", { hostNetwork: true }, running(NODE)), networkPolicies: [webOfShop] },
    { networkPolicies: [kubernetes({ ipBlock: { cidr: `${NODE}/32` } })] },
  ],
  [
    "a namespace whose labels nobody has seen yet",
    "10.244.0.9",
    { pods: another("new", {}, running("10.244.0.9")), networkPolicies: [notEvil] },
    { pods: another("shop", {}, running("10.244.0.9")), networkPolicies: [notEvil] },
  ],
  [
    "labels that Calico's selectors find without anybody writing them",
    pick("other"),
    {
      pods: labelled("other", {
        "projectcalico.org/namespace": "shop",
        "pcns.team": "a",
        "projectcalico.org/serviceaccount": "robot",
      }),
      globalNetworkPolicies: [letsAnywhere({ selector: "projectcalico.org/namespace == 'shop' || pcns.team == 'a'" })],
    },
    { globalNetworkPolicies: [letsAnywhere({ selector: "projectcalico.org/namespace == 'lab'" })] },
  ],
  [
    "a service account of the same name",
    pick("job"),
    { calicoNetworkPolicies: [lets({ serviceAccounts: { names: ["robot"] } })] },
    { calicoNetworkPolicies: [lets({ serviceAccounts: { names: ["robot"] }, namespaceSelector: "all()" })] },
  ],
  [
    "a network set with the labels of a pod",
    pick("other"),
    { networkSets: [set("lab")], calicoNetworkPolicies: [lets({ selector: "app == 'web'" })] },
    { networkSets: [set("shop")], calicoNetworkPolicies: [lets({ selector: "app == 'web'" })] },
  ],
  [
    "an endpoint of a Service of the same name",
    pick("other"),
    { endpointSlices: [slice("lab", ADDRESSES.other)], calicoNetworkPolicies: [lets({ services: { name: "web" } })] },
    { endpointSlices: [slice("shop", ADDRESSES.other)], calicoNetworkPolicies: [lets({ services: { name: "web" } })] },
  ],
  [
    "a label that every object of JavaScript has",
    pick("other"),
    { globalNetworkPolicies: [letsAnywhere({ selector: "has(constructor) || has(toString)" })] },
    {
      pods: labelled("other", { constructor: "x" }),
      globalNetworkPolicies: [letsAnywhere({ selector: "has(constructor)" })],
    },
  ],
  [
    "the label of another namespace on the pod itself",
    pick("other"),
    {
      pods: labelled("other", { team: "a" }),
      globalNetworkPolicies: [letsAnywhere({ namespaceSelector: "team == 'a'" })],
    },
    { globalNetworkPolicies: [letsAnywhere({ namespaceSelector: "team == 'b'" })] },
  ],
  [
    "a namespace's label that its own does not have, on the pod itself",
    pick("other"),
    {
      pods: labelled("other", { "pcns.env": "prod" }),
      globalNetworkPolicies: [letsAnywhere({ namespaceSelector: "env == 'prod'" })],
    },
    {
      namespaces: inProd,
      globalNetworkPolicies: [letsAnywhere({ namespaceSelector: "env == 'prod'" })],
    },
  ],
  [
    "the same in a selector that names it with its prefix",
    pick("other"),
    {
      pods: labelled("other", { "pcns.env": "prod" }),
      globalNetworkPolicies: [letsAnywhere({ selector: "pcns.env == 'prod'" })],
    },
    { namespaces: inProd, globalNetworkPolicies: [letsAnywhere({ selector: "pcns.env == 'prod'" })] },
  ],
  [
    "a namespace's label on a network set in another one",
    pick("other"),
    {
      networkSets: [{ ...set("lab"), metadata: { ...set("lab").metadata, labels: { "pcns.env": "prod" } } }],
      globalNetworkPolicies: [letsAnywhere({ namespaceSelector: "env == 'prod'" })],
    },
    {
      namespaces: inProd,
      networkSets: [set("lab")],
      globalNetworkPolicies: [letsAnywhere({ namespaceSelector: "env == 'prod'" })],
    },
  ],
  [
    "a service account's label that the pod's does not have",
    pick("other"),
    {
      pods: labelled("other", { "pcsa.role": "api" }),
      globalNetworkPolicies: [letsAnywhere({ serviceAccounts: { selector: "role == 'api'" } })],
    },
    {
      pods: pods("other", ({ spec }) => ({ spec: { ...spec, serviceAccountName: "robot" } })),
      globalNetworkPolicies: [letsAnywhere({ serviceAccounts: { selector: "role == 'api'" } })],
    },
  ],
  [
    "a policy of its own that selects the other's pods",
    pick("other"),
    {
      networkPolicies: [
        webOfShop,
        { ...kubernetes({ namespaceSelector: {} }), metadata: { name: "q", namespace: "lab" } },
      ],
    },
    {
      networkPolicies: [
        webOfShop,
        { ...kubernetes({ namespaceSelector: {} }), metadata: { name: "q", namespace: "shop" } },
      ],
    },
  ],
  [
    "a namespace's and its name's labels on a Node, whose kubelet writes them",
    NODE,
    {
      ...withHosts({ "pcns.env": "prod", "pcsa.role": "api", "projectcalico.org/namespace": "shop" }),
      namespaces: inProd,
      ...{ calicoNetworkPolicies: [lets({ selector: "all()" })] },
      globalNetworkPolicies: [
        letsAnywhere({ namespaceSelector: "env == 'prod'" }),
        letsAnywhere({ serviceAccounts: { selector: "role == 'api'" } }),
      ].map((one, index) => ({ ...one, metadata: { name: `p${index}` } })),
    },
    { ...withHosts({ env: "prod" }), globalNetworkPolicies: [letsAnywhere({ selector: "env == 'prod'" })] },
  ],
  [
    "the address that a block leaves out, by another block that does not name it",
    pick("other"),
    { networkPolicies: [kubernetes({ ipBlock: { cidr: "10.244.0.0/16", except: [`${ADDRESSES.other}/32`] } })] },
    { networkPolicies: [kubernetes({ ipBlock: { cidr: "10.244.0.0/16", except: [`${ADDRESSES.job}/32`] } })] },
  ],
];

test.each(ROWS)("no right comes of %s", (_, from, claim, truth) => {
  const verdict = (parts: Partial<World>) => {
    const world = smallWorld(parts);
    const pod = world.pods.find(({ metadata }) => metadata.name === "db") as Pod;
    return compiledVerdicts(world)({
      pod,
      direction: "ingress",
      packet: { ...packetOf("other -> db tcp/80"), source: from },
    });
  };
  expect([verdict(claim), verdict(truth)]).toEqual(["deny", "allow"]);
});

test("source port 0 is none of a range that begins later", () => {
  const ingress: Rule[] = [{ action: "Allow", protocol: "TCP", source: { ports: ["1:65535"] } }];
  const verdict = (port: number) => {
    const world = smallWorld({ calicoNetworkPolicies: [policy("p", { selector: DB, ingress })] });
    const pod = world.pods.find(({ metadata }) => metadata.name === "db") as Pod;
    return compiledVerdicts(world)({
      pod,
      direction: "ingress",
      packet: { ...packetOf("web -> db tcp/80"), sourcePort: port },
    });
  };
  expect([0, 1, 65_535].map(verdict)).toEqual(["deny", "allow", "allow"]);
});
