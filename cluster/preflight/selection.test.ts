import type { V1Node } from "@kubernetes/client-node";
import { expect, test } from "vitest";
import { preflightSchema } from "../../components/documents/preflight.ts";
import { examine } from "./examine.ts";
import { fitCluster, node } from "./facts.fixture.ts";
import { examineSelection } from "./selection.ts";

const labelled = (name: string, labels: object, more: object = {}) =>
  node(name, "172.31.1.7", { metadata: { name, labels }, ...more }) as V1Node;
const fit = labelled("one", { pool: "apps", age: "9" });
const expressions = (...matchExpressions: object[]) => ({ nodeSelectorTerms: [{ matchExpressions }] });
const tainted = (key: string, effect: string) =>
  labelled("out", {}, { spec: { taints: [{ key, value: "b", effect }] } });

const NO_TERM = "it fits no term of affinity";
const TAINT = "its taint a=b:NoSchedule is not in tolerations";
const FARGATE = "eks.amazonaws.com/compute-type";

test.each<[V1Node, object, string?]>([
  [
    labelled("out", { "kubernetes.io/os": "windows" }),
    {},
    "nodeSelector asks for kubernetes.io/os=linux, and it has kubernetes.io/os=windows",
  ],
  [
    labelled("out", {}, { status: { nodeInfo: { operatingSystem: "windows" } } }),
    { nodeSelector: {} },
    "nodeSelector asks for kubernetes.io/os=linux, and it has kubernetes.io/os=windows",
  ],
  [
    labelled("out", {}),
    { nodeSelector: { pool: "apps" } },
    "nodeSelector asks for pool=apps, and it has no such label",
  ],
  [labelled("out", {}), expressions({ key: "pool", operator: "In", values: ["apps"] }), NO_TERM],
  [
    labelled("out", { [FARGATE]: "fargate" }),
    expressions({ key: FARGATE, operator: "NotIn", values: ["fargate"] }),
    NO_TERM,
  ],
  [labelled("out", { [FARGATE]: "ec2" }), expressions({ key: FARGATE, operator: "NotIn", values: ["fargate"] })],
  [labelled("out", {}), expressions({ key: "pool", operator: "Exists" }), NO_TERM],
  [labelled("out", { virtual: "" }), expressions({ key: "virtual", operator: "DoesNotExist" }), NO_TERM],
  [labelled("out", { age: "3" }), expressions({ key: "age", operator: "Gt", values: ["3"] }), NO_TERM],
  [labelled("out", { age: "10" }), expressions({ key: "age", operator: "Gt", values: ["3"] })],
  [labelled("out", { age: "old" }), expressions({ key: "age", operator: "Gt", values: ["3"] }), NO_TERM],
  [labelled("out", { age: "8" }), expressions({ key: "age", operator: "Lt", values: ["10"] })],
  [tainted("a", "NoSchedule"), { tolerations: [] }, TAINT],
  [tainted("a", "NoSchedule"), { tolerations: [{ key: "a" }] }, TAINT],
  [tainted("a", "NoSchedule"), { tolerations: [{ key: "a", value: "b", effect: "NoExecute" }] }, TAINT],
  [tainted("a", "NoSchedule"), { tolerations: [{ key: "a", value: "b", effect: "NoSchedule" }] }],
  [tainted("a", "NoExecute"), { tolerations: [{ key: "a", operator: "Exists" }] }],
  [tainted("a", "NoExecute"), { tolerations: [{ operator: "Exists" }] }],
  [tainted("a", "NoSchedule"), {}],
  [tainted("a", "PreferNoSchedule"), { tolerations: [] }],
  [tainted("node.kubernetes.io/not-ready", "NoSchedule"), { tolerations: [] }],
])("a node %j beside a fit one, with %j", (other, plan, reason) => {
  const found = examineSelection([fit, other], preflightSchema.parse(plan));
  expect(found.map(({ severity, nodes, found }) => [severity, nodes, found])).toEqual(
    reason === undefined ? [] : [["warning", ["out"], reason]],
  );
});

test("what is wrong with a node that gets no agent is no obstacle; its address is kept from pods", () => {
  const nodeInfo = { kernelVersion: "4.4", operatingSystem: "linux", architecture: "riscv64" };
  const wrong = { status: { nodeInfo, addresses: [{ type: "InternalIP", address: "172.31.1.9" }] } };
  const findings = (plan: object) =>
    examine(fitCluster({ nodes: [fit, labelled("out", {}, wrong)] }), preflightSchema.parse(plan))
      .filter(({ severity }) => severity !== "ok")
      .map(({ severity, check, nodes }) => [severity, check, nodes.join()].join(" "));
  expect(findings({})).toEqual(["refused kind of node out"]);
  expect(findings({ nodeSelector: { pool: "apps" } })).toEqual(["warning nodes left out out"]);
  expect(findings({ nodeSelector: { pool: "apps" }, podCidrs: ["172.31.1.8/29"] })).toContain("refused addresses out");
});

test("a cluster of which no node gets an agent is refused", () => {
  const [first] = examineSelection([fit], preflightSchema.parse({ nodeSelector: { pool: "db" } }));
  expect(first).toMatchObject({ severity: "refused", nodes: [], found: "no node of this cluster gets an agent" });
});
