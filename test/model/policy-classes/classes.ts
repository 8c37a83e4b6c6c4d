// What cyclonus (github.com/mattfenwick/cyclonus) asks of a network plugin, class by class, in a form of our own: policies, and what happens to policies, namespaces
// and pods meanwhile. After every step each pod asks every other one.
import type { Policy, PolicyPeer, PolicyPort, Selector } from "../network-policy.ts";
import { START, type State } from "./state.ts";

export interface Case {
  readonly name: string;
  /** What there is, one time after the other. */
  readonly steps: readonly State[];
  /** Everybody reaches everybody in all steps. */
  readonly isOpen?: true;
}

type Direction = "ingress" | "egress";
type Rule = { peers?: PolicyPeer[]; ports?: PolicyPort[] };
const DIRECTIONS = ["ingress", "egress"] as const;
const TYPE = { ingress: "Ingress", egress: "Egress" } as const;

const is = (matchLabels: Record<string, string>): Selector => ({ matchLabels });
const among = (key: string, ...values: string[]): Selector => ({
  matchExpressions: [{ key, operator: "In", values }],
});
const isA = is({ pod: "a" });
const isC = is({ pod: "c" });

const written = (direction: Direction, { peers, ports }: Rule) => ({
  ...(peers && { [direction === "ingress" ? "from" : "to"]: peers }),
  ...(ports && { ports }),
});

interface Wanted {
  readonly name?: string;
  readonly namespace?: string;
  readonly podSelector?: Selector;
  readonly ingress?: readonly Rule[];
  readonly egress?: readonly Rule[];
}

/** It is about the directions that it has rules for, if none at all. */
function policy({ name = "one", namespace = "x", podSelector = isA, ...rules }: Wanted): Policy {
  const named = DIRECTIONS.filter((direction) => rules[direction]);
  const spec = Object.fromEntries(
    named.map((direction) => [direction, rules[direction]?.map((rule) => written(direction, rule))]),
  );
  return {
    metadata: { name, namespace },
    spec: { podSelector, policyTypes: named.map((direction) => TYPE[direction]), ...spec },
  };
}

/** Both directions, each to some pods of two namespaces at one port: what a case changes of it shows beside what it leaves. */
const BASE = {
  ingress: [
    {
      peers: [{ podSelector: among("pod", "b", "c"), namespaceSelector: among("ns", "x", "y") }],
      ports: [{ protocol: "TCP", port: 80 }],
    },
  ],
  egress: [
    {
      peers: [{ podSelector: among("pod", "a", "b"), namespaceSelector: among("ns", "y", "z") }],
      ports: [{ protocol: "TCP", port: 80 }],
    },
  ],
} satisfies Wanted;

const changed = (direction: Direction, part: Rule): Policy =>
  policy({ ...BASE, [direction]: [{ ...BASE[direction][0], ...part }] });

const given = (...policies: Policy[]): State => ({ ...START, policies });
const once = (name: string, ...policies: Policy[]): Case => ({ name, steps: [given(...policies)] });
const inBoth = (cases: (direction: Direction) => Case[]): Case[] => DIRECTIONS.flatMap(cases);

const TARGETS: Case[] = [
  ...["x", "y", "z"].map((namespace) => once(`pods of namespace ${namespace}`, policy({ ...BASE, namespace }))),
  once("all pods of a namespace", policy({ ...BASE, podSelector: {} })),
  once("pods by a label", policy({ ...BASE, podSelector: isA })),
  once("pods by an expression", policy({ ...BASE, podSelector: among("pod", "a", "b") })),
];

const RULES = inBoth((direction) => [
  once(`${direction}: no rule`, policy({ ...BASE, [direction]: [] })),
  once(`${direction}: a rule for everything`, policy({ ...BASE, [direction]: [{}] })),
]);

/** @param pod a pod's address: blocks around it */
function peersAround(pod: string): [string, PolicyPeer][] {
  const [a, b, c, d = "0"] = pod.split(".");
  const [network, part] = [`${a}.${b}.${c}.0/24`, `${a}.${b}.${c}.${Number(d) & 0xf0}/28`];
  const own = is({ ns: "x" });
  return [
    ["all pods of the own namespace", { podSelector: {} }],
    ["pods of the own namespace by a label", { podSelector: isC }],
    ["all namespaces", { namespaceSelector: {} }],
    ["all pods of all namespaces", { podSelector: {}, namespaceSelector: {} }],
    ["pods by a label in all namespaces", { podSelector: isC, namespaceSelector: {} }],
    ["namespaces by a label", { namespaceSelector: own }],
    ["all pods of namespaces by a label", { podSelector: {}, namespaceSelector: own }],
    ["pods by a label in namespaces by a label", { podSelector: isC, namespaceSelector: own }],
    ["a block", { ipBlock: { cidr: network } }],
    ["a block but for a part of it", { ipBlock: { cidr: network, except: [part] } }],
  ];
}

const peers = (pod: string): Case[] =>
  inBoth((direction) => [
    once(`${direction}: a list of none is everybody`, changed(direction, { peers: [] })),
    ...peersAround(pod).map(([name, peer]) => once(`${direction}: ${name}`, changed(direction, { peers: [peer] }))),
  ]);

const pairs = (pod: string): Case[] => {
  const all = peersAround(pod);
  return inBoth((direction) =>
    all.flatMap(([one, first], index) =>
      all
        .slice(index + 1)
        .map(([other, second]) =>
          once(`${direction}: ${one}, ${other}`, changed(direction, { peers: [first, second] })),
        ),
    ),
  );
};

const ALL = ["TCP", "UDP", "SCTP"] as const;
const numbered = [undefined, ...ALL].flatMap((protocol): PolicyPort[] =>
  [undefined, 80, 81].map((port) => ({ ...(protocol && { protocol }), ...(port && { port }) })),
);
const named = ALL.flatMap((protocol): PolicyPort[] =>
  [80, 81].map((port) => ({ protocol, port: `serve-${port}-${protocol.toLowerCase()}` })),
);
const ranges = ALL.flatMap((protocol): PolicyPort[] => [80, 84].map((endPort) => ({ protocol, port: 53, endPort })));
const odd: PolicyPort[] = [
  { protocol: "TCP", port: "serve-81-udp" },
  { protocol: "TCP", port: "serve-7981-tcp" },
  { protocol: "TCP", port: 7981 },
];
const SEVERAL: PolicyPort[][] = [
  [{}, { port: 80 }],
  [{}, { port: "serve-80-tcp" }],
  [{}, { protocol: "UDP" }],
  [{ port: 80 }, { port: 81 }],
  [{ port: 80 }, { port: "serve-81-tcp" }],
  [{ port: 80 }, { protocol: "UDP", port: "serve-81-udp" }],
  [
    { protocol: "UDP", port: 80 },
    { protocol: "UDP", port: "serve-81-udp" },
  ],
];

const portsText = (ports: PolicyPort[]) => JSON.stringify(ports).replaceAll('"', "");
const portCases = (lists: PolicyPort[][]) =>
  inBoth((direction) => lists.map((ports) => once(`${direction}: ${portsText(ports)}`, changed(direction, { ports }))));
const one = (ports: PolicyPort[]) => ports.map((port) => [port]);

const DEFAULT_LABELS = inBoth((direction) => [
  once(
    `${direction}: a namespace by the label that it always has`,
    changed(direction, { peers: [{ namespaceSelector: is({ "kubernetes.io/metadata.name": "z" }) }] }),
  ),
]);

/** Of several policies, one may forbid in its way what another one allows: what any of them allows of a direction is allowed. */
function conflicts(): Case[] {
  const nobody = is({ never: "there" });
  const RULES_FOR: Record<string, Rule[]> = {
    nothing: [],
    everything: [{}],
    "every pod": [{ peers: [{ namespaceSelector: {} }] }],
    "every address": [{ peers: [{ ipBlock: { cidr: "0.0.0.0/0" } }] }],
    "no pod": [{ peers: [{ namespaceSelector: nobody }] }],
    "no address": [{ peers: [{ ipBlock: { cidr: "0.0.0.0/31" } }] }],
  };
  const sender = { namespace: "x", podSelector: is({ pod: "b" }) };
  const receiver = { namespace: "y", podSelector: isC };
  const about = (direction: Direction, rules: string) =>
    policy({
      ...(direction === "ingress" ? receiver : sender),
      ...{ name: `${direction}-${rules.replace(" ", "-")}`, [direction]: RULES_FOR[rules] },
    });
  const unions = [
    ["nothing", "everything"],
    ["nothing", "every pod"],
    ["nothing", "every address"],
    ["no address", "every pod"],
    ["no pod", "every address"],
    ["no address"],
    ["no pod"],
  ];
  return [
    once(
      "egress of the sender nothing, ingress of the receiver everything",
      about("egress", "nothing"),
      about("ingress", "everything"),
    ),
    once(
      "egress of the sender everything, ingress of the receiver nothing",
      about("egress", "everything"),
      about("ingress", "nothing"),
    ),
    ...inBoth((direction) =>
      unions.map((all): Case => {
        const isOpen = all.some((rules) => rules.startsWith("every"));
        return {
          ...once(`${direction}: ${all.join(" and ")}`, ...all.map((rules) => about(direction, rules))),
          ...(isOpen && { isOpen }),
        };
      }),
    ),
  ];
}

const withLabels = (
  state: State,
  what: "pods" | "namespaces",
  name: string,
  labels: Record<string, string>,
): State => ({
  ...state,
  [what]: { ...state[what], [name]: { ...state[what][name], ...labels } },
});

/** Policies, namespaces and pods that come, change and go while others stay. */
function changes(): Case[] {
  const base = given(policy(BASE));
  const fromNew = (peer: PolicyPeer) => given(changed("ingress", { peers: [peer] }));
  const byNamespace = fromNew({ namespaceSelector: is({ fresh: "yes" }) });
  const byPod = fromNew({ podSelector: is({ fresh: "yes" }), namespaceSelector: among("ns", "y", "z") });
  const isolated = given(policy({ podSelector: is({ target: "isolated" }), ingress: [] }));
  const another = { ...base, namespaces: { ...base.namespaces, "y-2": { ns: "y" } } };
  const onePort = given(policy({ podSelector: {}, ingress: [{ ports: [{ port: "serve-81-tcp" }] }] }));
  const ownName = { ...onePort, namespaces: { ...onePort.namespaces, w: { ns: "w" } } };
  return [
    { name: "a policy is made and deleted", steps: [base, START] },
    {
      name: "a policy is changed, and changed back",
      steps: [
        base,
        given(changed("ingress", { ports: [{ protocol: "UDP", port: "serve-81-udp" }] })),
        given(changed("egress", { ports: [{ protocol: "UDP" }] })),
        base,
      ],
    },
    {
      name: "a policy for everything becomes one for nothing",
      steps: [given(policy({ ingress: [{}] })), given(policy({ ingress: [] }))],
    },
    {
      name: "a namespace with pods comes and goes",
      steps: [base, { ...another, pods: { ...another.pods, "y-2/a": { pod: "a" }, "y-2/b": { pod: "b" } } }, base],
    },
    {
      name: "a namespace gets the label that a rule names, and loses it",
      steps: [byNamespace, withLabels(byNamespace, "namespaces", "y", { fresh: "yes" }), byNamespace],
    },
    { name: "a pod comes and goes", steps: [base, { ...base, pods: { ...base.pods, "x/d": { pod: "d" } } }, base] },
    {
      name: "a pod gets the label that a rule names, and loses it",
      steps: [byPod, withLabels(byPod, "pods", "y/b", { fresh: "yes" }), byPod],
    },
    {
      name: "a pod gets the label that a policy selects, and loses it",
      steps: [isolated, withLabels(isolated, "pods", "x/a", { target: "isolated" }), isolated],
    },
    {
      name: "policies come one after the other, and go",
      steps: [
        given(policy({ podSelector: {}, ingress: [] })),
        given(
          policy({ podSelector: {}, ingress: [] }),
          policy({ name: "two", ingress: [{ peers: [{ namespaceSelector: is({ ns: "y" }) }] }] }),
        ),
        given(policy({ name: "two", ingress: [{ peers: [{ namespaceSelector: is({ ns: "y" }) }] }] })),
        START,
      ],
    },
    {
      name: "a pod of a new namespace asks for a port by its name",
      steps: [onePort, { ...ownName, pods: { ...ownName.pods, "w/a": { pod: "a" } } }, ownName, onePort],
    },
  ];
}

/** The classes. @param pod the address of a pod, around which blocks lie */
export function classesAround(pod: string): Readonly<Record<string, readonly Case[]>> {
  return {
    "pods that a policy selects": TARGETS,
    "no rule, and one for everything": RULES,
    "one peer": peers(pod),
    "two peers": pairs(pod),
    "protocols and numbers": portCases([[], ...one(numbered)]),
    "names and ranges": portCases(one([...named, ...ranges])),
    "names and numbers that nobody serves": portCases(one(odd)),
    "several ports": portCases(SEVERAL),
    "the label that namespaces always have": DEFAULT_LABELS,
    "policies against each other": conflicts(),
    "changes meanwhile": changes(),
  };
}
