// What each spec of "[sig-network] Netpol" asserts: policies, and who reaches whom.
import type { Policy, PolicyPeer, PolicyPort, Selector } from "./network-policy.ts";

export interface Case {
  readonly policies: readonly Policy[];
  /** Changes of labels: of namespaces by name, of pods by NAMESPACE/NAME. */
  readonly labels?: Readonly<Record<string, Record<string, string>>>;
}

/** The address of pod a of namespace y: of the nine pods, in order, the fourth. */
const Y_A = "10.244.0.4";

let count = 0;
const policy = (spec: Policy["spec"], namespace = "x"): Policy => ({
  metadata: { name: `p${count++}`, namespace },
  spec,
});
export const of = (matchLabels: Record<string, string>): Selector => ({ matchLabels });
const isA = of({ pod: "a" });
const podIs = (...values: string[]): Selector => ({ matchExpressions: [{ key: "pod", operator: "In", values }] });
const nsIs = (...values: string[]): Selector => ({ matchExpressions: [{ key: "ns", operator: "In", values }] });
export const ingress = (from: PolicyPeer[] | undefined, ports?: PolicyPort[], podSelector = isA) =>
  policy({ podSelector, policyTypes: ["Ingress"], ingress: [{ ...(from && { from }), ...(ports && { ports }) }] });
const egress = (to: PolicyPeer[] | undefined, ports?: PolicyPort[], podSelector = isA, namespace = "x") =>
  policy({ podSelector, policyTypes: ["Egress"], egress: [{ ...(to && { to }), ...(ports && { ports }) }] }, namespace);
const denied = (types: string[], podSelector: Selector = {}, namespace = "x") =>
  policy({ podSelector, policyTypes: types }, namespace);
const block = (cidr: string, ...except: string[]): PolicyPeer => ({ ipBlock: { cidr, ...(except[0] && { except }) } });

type Row = [string, readonly Policy[], [who: string, expected: string][], Case["labels"]?];
/** Each answer: "to x/a", "from x/a", "to x/a SCTP 81". */
export const ROWS: Row[] = [
  [
    "should support a 'default-deny-ingress' policy",
    [denied(["Ingress"])],
    [
      ["to x/a", ""],
      ["from x/a", "y/a y/b y/c z/a z/b z/c outside"],
      ["to y/a", "all"],
      ["to x/a UDP", ""],
      ["to x/a SCTP", ""],
    ],
  ],
  [
    "should support a 'default-deny-all' policy",
    [denied(["Ingress", "Egress"])],
    [
      ["to x/a", ""],
      ["from x/a", ""],
      ["to y/a", "y/b y/c z/a z/b z/c outside"],
    ],
  ],
  [
    "should enforce policy to allow traffic from pods within server namespace based on PodSelector",
    [ingress([{ podSelector: of({ pod: "b" }) }])],
    [["to x/a", "x/b"]],
  ],
  [
    "should enforce policy to allow ingress traffic for a target",
    [denied(["Ingress"]), ingress([{ podSelector: {}, namespaceSelector: {} }])],
    [
      ["to x/a", "x/b x/c y/a y/b y/c z/a z/b z/c"],
      ["to x/b", ""],
    ],
  ],
  [
    "should enforce policy to allow ingress traffic from pods in all namespaces",
    [ingress([{ namespaceSelector: {} }])],
    [["to x/a", "x/b x/c y/a y/b y/c z/a z/b z/c"]],
  ],
  [
    "should enforce policy to allow traffic only from a different namespace, based on NamespaceSelector",
    [ingress([{ namespaceSelector: of({ ns: "y" }) }])],
    [["to x/a", "y/a y/b y/c"]],
  ],
  [
    "should enforce policy based on PodSelector with MatchExpressions",
    [ingress([{ podSelector: podIs("b") }])],
    [["to x/a", "x/b"]],
  ],
  [
    "should enforce policy based on NamespaceSelector with MatchExpressions",
    [ingress([{ namespaceSelector: nsIs("y") }])],
    [["to x/a", "y/a y/b y/c"]],
  ],
  [
    "should enforce policy based on PodSelector or NamespaceSelector",
    [ingress([{ podSelector: of({ pod: "b" }) }, { namespaceSelector: of({ ns: "y" }) }])],
    [["to x/a", "x/b y/a y/b y/c"]],
  ],
  [
    "should deny ingress from pods on other namespaces",
    [ingress([{ podSelector: {} }], undefined, {})],
    [
      ["to x/a", "x/b x/c"],
      ["to x/b", "x/a x/c"],
    ],
  ],
  [
    "should enforce policy based on PodSelector and NamespaceSelector",
    [ingress([{ podSelector: of({ pod: "b" }), namespaceSelector: of({ ns: "y" }) }])],
    [["to x/a", "y/b"]],
  ],
  [
    "should enforce policy based on Multiple PodSelectors and NamespaceSelectors",
    [ingress([{ podSelector: podIs("b", "c"), namespaceSelector: nsIs("y", "z") }])],
    [["to x/a", "y/b y/c z/b z/c"]],
  ],
  [
    "should enforce policy based on any PodSelectors",
    [ingress([{ podSelector: of({ pod: "b" }) }, { podSelector: of({ pod: "c" }) }])],
    [["to x/a", "x/b x/c"]],
  ],
  [
    "should enforce policy to allow traffic only from a pod in a different namespace based on PodSelector and NamespaceSelector",
    [ingress([{ podSelector: isA, namespaceSelector: of({ ns: "y" }) }])],
    [
      ["to x/a", "y/a"],
      ["to x/a UDP", "y/a"],
      ["to x/a SCTP", "y/a"],
    ],
  ],
  [
    "should enforce policy based on Ports",
    [ingress([{ namespaceSelector: of({ ns: "y" }) }], [{ port: 81 }])],
    [
      ["to x/a TCP 81", "y/a y/b y/c"],
      ["to x/a TCP 80", ""],
      ["to x/a UDP 81", ""],
    ],
  ],
  [
    "the same using UDP",
    [ingress(undefined, [{ port: 81, protocol: "UDP" }])],
    [
      ["to x/a UDP 81", "all"],
      ["to x/a UDP 80", ""],
      ["to x/a TCP 81", ""],
    ],
  ],
  [
    "the same using SCTP",
    [ingress(undefined, [{ port: 81, protocol: "SCTP" }])],
    [
      ["to x/a SCTP 81", "all"],
      ["to x/a SCTP 80", ""],
      ["to x/a TCP 81", ""],
    ],
  ],
  [
    "should enforce multiple, stacked policies with overlapping podSelectors",
    [
      ingress([{ namespaceSelector: of({ ns: "y" }) }], [{ port: 81 }]),
      ingress([{ namespaceSelector: of({ ns: "y" }) }], [{ port: 80 }], {}),
    ],
    [
      ["to x/a TCP 81", "y/a y/b y/c"],
      ["to x/a TCP 80", "y/a y/b y/c"],
      ["to x/b TCP 81", ""],
    ],
  ],
  [
    "should support allow-all policy",
    [ingress(undefined, undefined, {})],
    [
      ["to x/a", "all"],
      ["to x/a UDP 81", "all"],
    ],
  ],
  [
    "should allow ingress access on one named port",
    [ingress(undefined, [{ port: "serve-81-tcp" }])],
    [
      ["to x/a TCP 81", "all"],
      ["to x/a TCP 80", ""],
      ["to x/a UDP 81", ""],
    ],
  ],
  [
    "should allow ingress access from namespace on one named port",
    [ingress([{ namespaceSelector: of({ ns: "y" }) }], [{ port: "serve-80-tcp" }])],
    [
      ["to x/a TCP 80", "y/a y/b y/c"],
      ["to x/a TCP 81", ""],
    ],
  ],
  [
    "should allow ingress access from updated namespace",
    [ingress([{ namespaceSelector: of({ ns2: "updated" }) }])],
    [["to x/a", "y/a y/b y/c"]],
    { y: { ns2: "updated" } },
  ],
  [
    "should allow ingress access from updated pod",
    [ingress([{ podSelector: of({ pod2: "updated" }) }])],
    [["to x/a", "x/b"]],
    { "x/b": { pod2: "updated" } },
  ],
  [
    "should deny ingress access to updated pod",
    [denied(["Ingress"], of({ target: "isolated" }))],
    [
      ["to x/a", ""],
      ["to x/b", "all"],
    ],
    { "x/a": { target: "isolated" } },
  ],
  [
    "should deny egress from pods based on PodSelector",
    [denied(["Egress"], isA)],
    [
      ["from x/a", ""],
      ["from x/b", "all"],
    ],
  ],
  [
    "should deny egress from all pods in a namespace",
    [denied(["Egress"], {})],
    [
      ["from x/a", ""],
      ["from x/b", ""],
      ["from y/a", "all"],
    ],
  ],
  [
    "should work with Ingress, Egress specified together",
    [
      policy({
        podSelector: isA,
        policyTypes: ["Ingress", "Egress"],
        ingress: [{ from: [{ podSelector: of({ pod: "b" }) }] }],
        egress: [{ ports: [{ port: 80 }] }],
      }),
    ],
    [
      ["to x/a", "x/b"],
      ["from x/a TCP 80", "all"],
      ["from x/a TCP 81", ""],
    ],
  ],
  [
    "should support denying of egress traffic on the client side (even if the server explicitly allows this traffic)",
    [
      egress([{ podSelector: of({ pod: "b" }), namespaceSelector: of({ ns: "y" }) }]),
      policy(
        { podSelector: isA, policyTypes: ["Ingress"], ingress: [{ from: [{ namespaceSelector: of({ ns: "x" }) }] }] },
        "y",
      ),
    ],
    [
      ["from x/a", "y/b"],
      ["to y/a", "x/b x/c"],
    ],
  ],
  [
    "should stop enforcing policies after they are deleted",
    [],
    [
      ["to x/a", "all"],
      ["from x/a", "all"],
    ],
  ],
  [
    "should enforce policies to check ingress and egress policies can be controlled independently based on PodSelector",
    [denied(["Egress"], isA), ingress([{ podSelector: of({ pod: "b" }) }])],
    [
      ["from x/a", ""],
      ["to x/a", "x/b"],
    ],
  ],
  [
    "should enforce egress policy allowing traffic to a server in a different namespace based on PodSelector and NamespaceSelector",
    [egress([{ podSelector: isA, namespaceSelector: of({ ns: "y" }) }])],
    [["from x/a", "y/a"]],
  ],
  [
    "should enforce multiple ingress policies with ingress allow-all policy taking precedence",
    [ingress([{ podSelector: of({ pod: "b" }) }], [{ port: 80 }]), ingress(undefined)],
    [["to x/a TCP 81", "all"]],
  ],
  [
    "should enforce multiple egress policies with egress allow-all policy taking precedence",
    [egress(undefined, [{ port: 80 }]), egress(undefined)],
    [["from x/a TCP 81", "all"]],
  ],
  [
    "should allow egress access on one named port",
    [egress(undefined, [{ port: "serve-80-tcp" }])],
    [
      ["from x/a TCP 80", "x/b x/c y/a y/b y/c z/a z/b z/c"],
      ["from x/a TCP 81", ""],
    ],
  ],
  ["should allow egress access to server in CIDR block", [egress([block(`${Y_A}/32`)])], [["from x/a", "y/a"]]],
  [
    "should enforce except clause while egress access to server in CIDR block",
    [egress([block("10.244.0.0/16", `${Y_A}/32`)])],
    [["from x/a", "x/b x/c y/b y/c z/a z/b z/c"]],
  ],
  [
    "should ensure an IP overlapping both IPBlock.CIDR and IPBlock.Except is allowed",
    [egress([block("10.244.0.0/16", `${Y_A}/32`)]), egress([block(`${Y_A}/32`)])],
    [["from x/a", "x/b x/c y/a y/b y/c z/a z/b z/c"]],
  ],
  [
    "should enforce ingress policy allowing any port traffic to a server on a specific protocol",
    [ingress(undefined, [{ protocol: "TCP" }])],
    [
      ["to x/a TCP 80", "all"],
      ["to x/a TCP 81", "all"],
      ["to x/a UDP 80", ""],
    ],
  ],
  [
    "should not mistakenly treat 'protocol: SCTP' as 'protocol: TCP', even if the plugin doesn't support SCTP",
    [ingress(undefined, [{ protocol: "SCTP", port: 80 }])],
    [
      ["to x/a TCP 80", ""],
      ["to x/a SCTP 80", "all"],
    ],
  ],
  [
    "should properly isolate pods that are selected by a policy allowing SCTP, even if the plugin doesn't support SCTP",
    [ingress(undefined, [{ protocol: "SCTP", port: 80 }])],
    [
      ["to x/a TCP 81", ""],
      ["to x/a UDP 80", ""],
    ],
  ],
  [
    "should not allow access by TCP when a policy specifies only UDP",
    [ingress(undefined, [{ protocol: "UDP", port: 80 }])],
    [
      ["to x/a TCP 80", ""],
      ["to x/a UDP 80", "all"],
    ],
  ],
  [
    "should enforce policy to allow traffic based on NamespaceSelector with MatchLabels using default ns label",
    [ingress([{ namespaceSelector: of({ "kubernetes.io/metadata.name": "y" }) }])],
    [["to x/a", "y/a y/b y/c"]],
  ],
  [
    "should enforce policy based on NamespaceSelector with MatchExpressions using default ns label",
    [
      ingress([
        {
          namespaceSelector: {
            matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["x"] }],
          },
        },
      ]),
    ],
    [["to x/a", "y/a y/b y/c z/a z/b z/c"]],
  ],
  [
    "EndPort: should allow a range of ports, in both directions",
    [ingress(undefined, [{ port: 79, endPort: 80 }]), egress(undefined, [{ port: 81, endPort: 65_535 }])],
    [
      ["to x/a TCP 80", "all"],
      ["to x/a TCP 81", ""],
      ["from x/a TCP 81", "all"],
      ["from x/a TCP 80", ""],
    ],
  ],
];
