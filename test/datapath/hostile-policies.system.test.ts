// Policies that somebody wrote to open what is not theirs, to keep agents busy or to hide what is in force, on a running cluster. Whatever they are, nothing opens that they may
// not open, what others wrote stays in force, and agents go on.
import { afterAll, beforeAll, expect, test } from "vitest";
import { BareCluster, type From, program } from "./cluster/bare-cluster.ts";
import { type KubernetesObject, namespace, pod } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";

type Labels = Record<string, string>;
const object = (apiVersion: string, kind: string, metadata: object, spec: object): KubernetesObject =>
  ({ apiVersion, kind, metadata, spec }) as KubernetesObject;
const calico = (kind: string, name: string, spec: object, metadata: object = {}) =>
  object("projectcalico.org/v3", kind, { name, ...metadata }, spec);
const kubernetes = (name: string, ns: string, spec: object) =>
  object("networking.k8s.io/v1", "NetworkPolicy", { name, namespace: ns }, spec);
const cluster = (name: string, spec: object) =>
  object("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy", { name }, spec);
const labelled = (name: string, labels: Labels): KubernetesObject => {
  const found = namespace(name);
  return { ...found, metadata: { ...found.metadata, labels: { "kubernetes.io/metadata.name": name, ...labels } } };
};
const ofWeb = { podSelector: { matchLabels: { app: "web" } }, policyTypes: ["Ingress"] };
const EVERYBODY = { policyTypes: ["Ingress"], ingress: [{}] };
const allow = (source: object) => ({ action: "Allow", source });
const toPort = (action: string, port: number) => ({ action, protocol: "TCP", destination: { ports: [port] } });

/** Written by the owner of shop: nobody but the pods `friend` of it reaches web. */
const guard = kubernetes("guard", "shop", {
  ...ofWeb,
  ingress: [{ from: [{ podSelector: { matchLabels: { app: "friend" } } }] }],
});
/** Written by an administrator: namespaces with this label reach web. */
const ofProd = (source: object) =>
  calico("GlobalNetworkPolicy", "prod", {
    order: 900,
    selector: "app == 'web'",
    types: ["Ingress"],
    ingress: [allow(source)],
  });

let bare: BareCluster;
let web: Placed;
let friend: Placed;
let evil: Placed;

beforeAll(async () => {
  bare = await BareCluster.start();
  bare.apply(labelled("shop", {}), labelled("lab", {}));
  const listens = ["--tcp", "80,81"];
  const place = (name: string, ns: string, node: "master" | "node", ports: Placed["ports"] = []) =>
    bare.placePod({ name, namespace: ns, node, labels: { app: name }, address: "", ports }, listens);
  [web, friend, evil] = await Promise.all([
    place("web", "shop", "node", [{ name: "admin", containerPort: 81 }]),
    place("friend", "shop", "master"),
    place("evil", "lab", "node"),
  ]);
  bare.apply(guard);
  await bare.carriedOut();
});
afterAll(() => bare?.close());

/** "friend 80", "evil 80", "friend 81", "evil 81": who reaches web, and whether its own pod reaches friend. */
async function reached(): Promise<string> {
  const ask = async (from: From, to: Placed, port: number, text: string) =>
    (await bare.see(from, `${to.address}:${port}`, { timeoutMs: 500 })).startsWith("allowed") ? [text] : [];
  const all = await Promise.all([
    ask("shop/friend", web, 80, "friend:80"),
    ask("shop/friend", web, 81, "friend:81"),
    ask("lab/evil", web, 80, "evil:80"),
    ask("lab/evil", web, 81, "evil:81"),
    ask("lab/evil", friend, 81, "evil→friend:81"),
  ]);
  return all.flat().join(" ");
}

const OPEN = "evil→friend:81"; // nothing isolates friend
const GUARDED = `friend:80 friend:81 ${OPEN}`;
const relabelled = (labels: Labels) => pod({ ...evil, labels: { app: "evil", ...labels } });
const many = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

type Row = [what: string, objects: () => KubernetesObject[], expected: string, said?: RegExp];
const ROWS: Row[] = [
  // To be taken for somebody else.
  [
    "a label of another namespace on a pod",
    () => [relabelled({ "pcns.env": "prod" }), ofProd({ namespaceSelector: "env == 'prod'" })],
    GUARDED,
  ],
  [
    "the same by its name in a selector",
    () => [
      relabelled({ "pcns.env": "prod", "projectcalico.org/namespace": "shop" }),
      ofProd({ selector: "pcns.env == 'prod' || projectcalico.org/namespace == 'shop'" }),
    ],
    GUARDED,
  ],
  [
    "a label of a service account on a pod",
    () => [relabelled({ "pcsa.role": "api" }), ofProd({ serviceAccounts: { selector: "role == 'api'" } })],
    GUARDED,
  ],
  [
    "a network set of everybody with another namespace's label",
    () => [
      calico("NetworkSet", "all", { nets: ["0.0.0.0/0"] }, { namespace: "lab", labels: { "pcns.env": "prod" } }),
      ofProd({ namespaceSelector: "env == 'prod'" }),
    ],
    GUARDED,
  ],
  [
    "a namespace that has the label",
    () => [labelled("lab", { env: "prod" }), ofProd({ namespaceSelector: "env == 'prod'" })],
    `friend:80 friend:81 evil:80 evil:81 ${OPEN}`,
  ],
  // To select others' pods, or to take the place of their policies.
  [
    "policies of another namespace with the same names and selectors",
    () => [
      kubernetes("guard", "lab", { ...ofWeb, ...EVERYBODY }),
      calico(
        "NetworkPolicy",
        "guard",
        { order: 1, selector: "app == 'web'", ingress: [{ action: "Allow" }] },
        { namespace: "lab" },
      ),
    ],
    GUARDED,
  ],
  [
    "one name in every kind",
    () => [
      calico(
        "NetworkPolicy",
        "guard",
        { order: 1, selector: "app == 'web'", types: ["Ingress"], ingress: [toPort("Deny", 81), { action: "Pass" }] },
        { namespace: "shop" },
      ),
      calico(
        "NetworkPolicy",
        "default.guard",
        { order: 2000, selector: "app == 'web'", types: ["Ingress"], ingress: [{ action: "Allow" }] },
        { namespace: "shop" },
      ),
      calico("GlobalNetworkPolicy", "guard", {
        order: 2000,
        selector: "app == 'web'",
        types: ["Ingress"],
        ingress: [{ action: "Allow" }],
      }),
      cluster("guard", {
        tier: "Baseline",
        priority: 0,
        subject: { namespaces: {} },
        ingress: [{ action: "Accept", from: [{ namespaces: {} }] }],
      }),
    ],
    // Pass leaves the tier, so only the Baseline is asked afterwards.
    `friend:80 evil:80 ${OPEN}`,
  ],
  [
    "orders that are no usual numbers",
    () =>
      [
        ["last", 1e308, "Allow"],
        ["first", -1e308, "Deny"],
        ["zero", -0, "Allow"],
      ].map(([name, order, action]) =>
        calico("GlobalNetworkPolicy", String(name), {
          order,
          selector: "app == 'web'",
          types: ["Ingress"],
          ingress: [{ action, protocol: "TCP", source: { selector: "app == 'evil'" } }],
        }),
      ),
    GUARDED,
  ],
  [
    "an order that is no number",
    () => [
      calico("GlobalNetworkPolicy", "text", {
        order: "1",
        selector: "app == 'web'",
        types: ["Ingress"],
        ingress: [{ action: "Allow" }],
      }),
    ],
    OPEN,
    /GlobalNetworkPolicy text.*order/,
  ],
  [
    "tiers of one order, and one behind all, which ends in Pass",
    () => [
      ...["b", "a"].map((name) => calico("Tier", name, { order: 5 })),
      calico("Tier", "last", { order: 1e308 }),
      calico("GlobalNetworkPolicy", "a.p", {
        tier: "a",
        selector: "app == 'web'",
        types: ["Ingress"],
        ingress: [toPort("Deny", 81), { action: "Pass" }],
      }),
      calico("GlobalNetworkPolicy", "b.p", {
        tier: "b",
        selector: "app == 'web'",
        types: ["Ingress"],
        ingress: [toPort("Allow", 81), { action: "Pass" }],
      }),
      calico("GlobalNetworkPolicy", "last.p", {
        tier: "last",
        selector: "app == 'friend'",
        types: ["Ingress"],
        ingress: [{ action: "Pass" }],
      }),
    ],
    `friend:80 ${OPEN}`,
  ],
  [
    "a tier that takes the default one's name",
    () => [calico("Tier", "default", { order: 1, defaultAction: "Pass" })],
    GUARDED,
    /Tier default.*order/,
  ],
  // Ports.
  [
    "a port that only some pods name",
    () => [
      kubernetes("named", "shop", {
        podSelector: {},
        policyTypes: ["Ingress"],
        ingress: [{ ports: [{ port: "admin" }] }],
      }),
    ],
    "friend:80 friend:81 evil:81",
  ],
  [
    "a range that ends before it begins",
    () => [kubernetes("range", "shop", { ...ofWeb, ingress: [{ ports: [{ port: 81, endPort: 80 }] }] })],
    GUARDED,
    /NetworkPolicy shop\/range.*endPort/,
  ],
  [
    "10,000 ports",
    () => [kubernetes("ports", "shop", { ...ofWeb, ingress: [{ ports: many(10_000).map((port) => ({ port })) }] })],
    GUARDED,
    /NetworkPolicy shop\/ports.*10000 ports/,
  ],
  // Selectors.
  [
    "a selector of 100 kB",
    () => [
      calico(
        "NetworkPolicy",
        "long",
        {
          order: 1,
          selector: `app == 'web' || ${"(".repeat(50_000)}all()${")".repeat(50_000)}`,
          ingress: [{ action: "Allow" }],
        },
        { namespace: "lab" },
      ),
    ],
    GUARDED,
    /NetworkPolicy.projectcalico.org lab\/long.*100\d+ characters/,
  ],
  [
    "NotIn without values",
    () => [
      cluster("notin", {
        tier: "Admin",
        priority: 1,
        subject: { namespaces: {} },
        ingress: [
          { action: "Accept", from: [{ namespaces: { matchExpressions: [{ key: "team", operator: "NotIn" }] } }] },
        ],
      }),
    ],
    "",
    /ClusterNetworkPolicy notin.*NotIn need values/,
  ],
  [
    "a label that JavaScript leaves out",
    () => [
      JSON.parse(
        JSON.stringify(
          kubernetes("lost", "shop", {
            ...ofWeb,
            ingress: [{ from: [{ namespaceSelector: { matchLabels: { there: "x" } } }] }],
          }),
        ).replace('"there"', '"__proto__"'),
      ) as KubernetesObject,
    ],
    GUARDED,
    /NetworkPolicy shop\/lost.*key of a label/,
  ],
  [
    "names and texts that a terminal obeys",
    () => [
      calico(
        "NetworkPolicy",
        "text",
        {
          order: 1,
          selector: "app == 'web' && x != '\u001b[2J\u202e'",
          types: ["Ingress"],
          ingress: [allow({ selector: "app == 'friend' && x != '\u001b[2J'" })],
        },
        { namespace: "shop" },
      ),
    ],
    GUARDED,
  ],
  [
    "a name in other letters",
    () => [
      calico("GlobalNetworkPolicy", "höhle", {
        order: 1,
        selector: "app == 'web'",
        types: ["Ingress"],
        ingress: [{ action: "Allow" }],
      }),
    ],
    OPEN,
    /höhle.*is no name/,
  ],
  [
    "closing kube-system",
    () => [kubernetes("closed", "kube-system", { podSelector: {}, policyTypes: ["Ingress", "Egress"] })],
    GUARDED,
  ],
];

test.each(ROWS)("%s", async (_, objects, expected, said) => {
  const written = objects();
  bare.apply(...written);
  await bare.carriedOut();
  // What is shown is asked for while nothing answers.
  const inspected = [["explain", friend.address, `${web.address}:80`], ["policies"]].map((words) =>
    bare.run("node", [process.execPath, program, "inspect", ...words]),
  );
  const [seen, ...shown] = await Promise.all([reached(), ...inspected]);
  expect(seen).toBe(expected);
  if (said) expect(bare.log("node")).toMatch(said);
  for (const text of shown) expect(text.replaceAll("\n", "")).not.toMatch(/\p{C}/u);
  bare.remove(...written.filter(({ kind }) => kind !== "Pod" && kind !== "Namespace"));
  bare.apply(labelled("lab", {}), relabelled({}));
  await bare.carriedOut();
  expect(await reached()).toBe(GUARDED);
});
