import { expect, test } from "vitest";
import { preflightSchema } from "../../components/documents/preflight.ts";
import { examine } from "./examine.ts";
import { fitCluster, node } from "./facts.fixture.ts";
import type { ClusterFacts } from "./facts.ts";

const labelled = (name: string, address: string) =>
  node(name, address, { metadata: { name, labels: { egress: name } } });
const cluster = { nodes: [labelled("one", "172.31.1.8"), labelled("two", "172.31.1.9")] as ClusterFacts["nodes"] };

/** What is said of one gateway, of nodes with the label `egress: one`. */
const about = (spec: object, plan: object = {}) =>
  examine(
    fitCluster(cluster),
    preflightSchema.parse({ ...plan, egressGateways: [{ name: "mail", nodeSelector: "egress == 'one'", ...spec }] }),
  )
    .filter(({ check }) => check === "egress gateways")
    .map(({ severity, nodes, found }) => [severity, nodes.join(), found].join(" | "));

const NOBODY =
  "warning |  | mail: no node that gets an agent has the labels of its nodeSelector, so nothing leaves by it";

test("nodes that may be the gateway are named, whatever addresses they have that their objects do not tell", () => {
  expect(about({})).toEqual(["ok | one | mail can be any of these"]);
  expect(about({ addresses: ["172.31.1.8", "192.0.2.7"] })).toEqual(["ok | one | mail can be any of these"]);
});

test("a gateway that no node with an agent can be, and an address of a node that is not selected", () => {
  expect(about({ nodeSelector: "has(egres)" })).toEqual([NOBODY]);
  expect(about({}, { nodeSelector: { egress: "two" } })).toEqual([NOBODY]);
  expect(about({ addresses: ["172.31.1.9"] })).toEqual([
    "warning |  | mail: 172.31.1.9 is an address of two, which its nodeSelector does not select",
  ]);
});
