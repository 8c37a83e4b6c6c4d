// What is said of host endpoints with doNotTrack policies about what leaves: from maps in memory, as the compiler fills them.
import { expect, test } from "vitest";
import { schemas } from "../../../model/objects/schemas.ts";
import { Compiler } from "../../compile/compile.ts";
import { type ClusterSnapshot, noObjects } from "../../compile/snapshot.ts";
import { memoryMaps } from "../../kernel/memory-map.ts";
import { Reconciler } from "../../reconcile/reconciler.ts";
import { Explainer } from "./explainer.ts";

const [master, client] = ["172.31.1.8", "172.31.1.55"];
const facts: ClusterSnapshot["facts"] = {
  ...{ nodeName: "master", address: master, subnets: ["172.31.1.0/24"], serviceSubnet: "10.96.0.0/12" },
  ...{ localAddresses: [], uplinkIfindex: 2, tunnelIfindex: 9 },
  uplinks: [{ name: "eth0", ifindex: 2, addresses: [master] }],
};
const policy = (name: string, spec: object) =>
  schemas.globalNetworkPolicies.parse({ metadata: { name }, spec: { selector: "role == 'db'", ...spec } });
const egress = (action: string, port: number) => ({ action, protocol: "UDP", destination: { ports: [port] } });

/** What decides about UDP of the node or another one, in order: "egress: deny". */
function explained(port: number, untracked: object) {
  const snapshot: ClusterSnapshot = {
    ...{ ...noObjects, facts, endpoints: [] },
    nodes: [
      schemas.nodes.parse({
        metadata: { name: "master" },
        status: { addresses: [{ type: "InternalIP", address: master }] },
      }),
    ],
    hostEndpoints: [
      schemas.hostEndpoints.parse({
        metadata: { name: "host", labels: { role: "db" } },
        spec: { node: "master", interfaceName: "eth0" },
      }),
    ],
    globalNetworkPolicies: [
      policy("own", { types: ["Egress"], egress: [egress("Allow", 5000)] }),
      policy("untracked", { doNotTrack: true, applyOnForward: true, ...untracked }),
    ],
  };
  const { maps, names, contents } = new Compiler().compile(snapshot);
  const stored = memoryMaps();
  new Reconciler(stored).sync(maps);
  const explainer = new Explainer({
    node: "master",
    maps: stored,
    contents: () => contents,
    names: { owner: () => undefined, service: () => undefined, policy: (number) => names.policies.get(number) ?? "" },
  });
  const { ways } = explainer.explain({ from: master, to: client, protocol: 17, port, sourcePort: 40_000 });
  return ways.flatMap(({ ends }) =>
    ends.map(({ end, policies, verdict, undecided }) => ({
      by: policies.replace("GlobalNetworkPolicy ", ""),
      at: end === master ? "the node" : end,
      verdict: undecided ? "next" : verdict,
    })),
  );
}

const leaving = "the uplink, of each packet, whatever its connection";
const types = { types: ["Egress"] };

test("what doNotTrack allows the node to send goes past its own policies", () => {
  const rules = { ...types, egress: [egress("Allow", 6000)] };
  expect(explained(6000, rules)).toEqual([{ by: "untracked", at: leaving, verdict: "allow" }]);
});

test("what doNotTrack refuses does not leave, whatever they say", () => {
  const rules = { ...types, egress: [egress("Deny", 5000)] };
  expect(explained(5000, rules)).toEqual([{ by: "untracked", at: leaving, verdict: "deny" }]);
});

test("where no rule of doNotTrack decides they are asked, and where it is about what comes in only, nothing else is", () => {
  const own = { by: "own", at: "the node", verdict: "allow" };
  expect(explained(5000, { ...types, egress: [egress("Allow", 6000)] })).toEqual([
    { by: "untracked", at: leaving, verdict: "next" },
    own,
  ]);
  const incoming = { types: ["Ingress"], ingress: [{ action: "Deny" }] };
  expect(explained(5000, incoming)).toEqual([own]);
  expect(explained(5001, incoming)).toEqual([{ ...own, verdict: "deny" }]);
});
