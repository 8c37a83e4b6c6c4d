import { expect, test } from "vitest";
import { nodeDirectory } from "../node/nodes.ts";
import { ipPool } from "../objects/calico.ts";
import { node } from "../objects/core.ts";
import { encryptedPools, PUBLIC_KEY, planEncryption } from "./encryption.ts";

const key = (byte: number) => Buffer.alloc(32, byte).toString("base64");
const facts = { nodeName: "a", address: "192.0.2.1", subnets: [], localAddresses: [], serviceSubnet: "10.96.0.0/12" };
const nodeOf = (name: string, address: string, publicKey?: string, age = 1) =>
  node.parse({
    metadata: {
      ...{ name, creationTimestamp: `2026-01-0${age}T00:00:00Z` },
      ...(publicKey !== undefined && { annotations: { [PUBLIC_KEY]: publicKey } }),
    },
    status: { addresses: [{ type: "InternalIP", address }] },
  });

function planned(...nodes: ReturnType<typeof nodeOf>[]) {
  return planEncryption(nodes, nodeDirectory(nodes, facts));
}

test("every other node with a key is a peer, at its address; this node's own key is known", () => {
  const plan = planned(nodeOf("a", "192.0.2.1", key(1)), nodeOf("b", "192.0.2.2", key(2)), nodeOf("c", "192.0.2.3"));
  expect(plan).toEqual({
    published: key(1),
    peers: [{ node: "b", publicKey: key(2), address: "192.0.2.2" }],
    without: ["c"],
    problems: [],
  });
});

test.each([
  [
    "the oldest node's",
    nodeOf("b", "192.0.2.2", key(2), 1),
    nodeOf("c", "192.0.2.3", key(2), 2),
    "is the key of Node b",
  ],
  ["this node's", nodeOf("a", "192.0.2.1", key(2), 1), nodeOf("c", "192.0.2.3", key(2), 2), "is the key of Node a"],
  ["no key", nodeOf("b", "192.0.2.2", key(2), 1), nodeOf("c", "192.0.2.3", "abc", 2), "is no public key of WireGuard"],
  ["a longer one", nodeOf("b", "192.0.2.2", key(2), 1), nodeOf("c", "192.0.2.3", `${key(3)}A`, 2), "is no public key"],
])("a node that names %s is no peer, and is told so", (_, older, younger, fault) => {
  const { peers, without, problems } = planned(younger, older);
  expect(peers.map((peer) => peer.node)).not.toContain("c");
  expect(without).toContain("c");
  expect(problems).toMatchObject([{ kind: "Node", name: "c", path: `metadata.annotations[${PUBLIC_KEY}]` }]);
  expect(problems[0]?.message).toContain(fault);
});

test("a node whose address belongs to another is no peer", () => {
  const { peers, without } = planned(nodeOf("b", "192.0.2.2", key(2), 1), nodeOf("c", "192.0.2.2", key(3), 2));
  expect(peers.map((peer) => peer.node)).toEqual(["b"]);
  expect(without).toEqual(["c"]);
});

test("every pool of pods is wrapped, and one of load balancers stays as it is", () => {
  const pool = (spec: object) => ipPool.parse({ metadata: { name: "p" }, spec: { cidr: "10.244.0.0/16", ...spec } });
  const pools = [pool({ vxlanMode: "Never" }), pool({ ipipMode: "Always" }), pool({ allowedUses: ["LoadBalancer"] })];
  const [plain, ipip, balancer] = encryptedPools(pools);
  for (const one of [plain, ipip]) expect(one?.spec).toMatchObject({ vxlanMode: "Always", ipipMode: "Never" });
  expect(balancer).toBe(pools[2]);
});
