import { expect, test } from "vitest";
import { ipPool } from "../objects/calico.ts";
import { node } from "../objects/core.ts";
import { judgePools } from "../pool/claims.ts";
import { workloadPools } from "../pool/uses.ts";
import { nodeProblems } from "./node-problems.ts";

const facts = {
  nodeName: "one",
  address: "172.31.1.8",
  subnets: ["172.31.1.0/24"],
  localAddresses: [],
  serviceSubnet: "10.96.0.0/12",
};
const named = (name: string, annotations = {}) => node.parse({ metadata: { name, annotations } });
const pool = (cidr: string, spec = {}) => ipPool.parse({ metadata: { name: cidr }, spec: { cidr, ...spec } });
const pools = (...all: ReturnType<typeof pool>[]) => workloadPools(judgePools(all, facts));
const v6 = "fd00:10:244::/56";

test("a node without IPv6 is told of where pods should have it", () => {
  expect(nodeProblems([named("one")], pools(pool(v6)), facts)).toMatchObject([
    { kind: "Node", name: "one", path: "status.addresses" },
  ]);
});

test("but not where it has IPv6, nor without a pool of IPv6 for pods, nor by another node", () => {
  expect(nodeProblems([named("one")], pools(pool(v6)), { ...facts, addressIpv6: "fd00::8" })).toEqual([]);
  expect(nodeProblems([named("one")], pools(pool("10.244.0.0/16")), facts)).toEqual([]);
  expect(nodeProblems([named("one")], pools(pool(v6, { disabled: true })), facts)).toEqual([]);
  const balanced = { blockSize: 128, allowedUses: ["LoadBalancer"] };
  expect(nodeProblems([named("one")], pools(pool(v6, balanced)), facts)).toEqual([]);
  expect(nodeProblems([named("two")], pools(pool(v6)), facts)).toEqual([]);
});

test("annotations of ours on a node are unknown, except the marks of an upgrade", () => {
  const annotations = { "ebpf-dataplane.io/return-mode": "DSR", "ebpf-dataplane.io/cordoned-for-upgrade": "true" };
  const problems = nodeProblems([named("one", annotations)], pools(), facts);
  expect(problems.map(({ path }) => path)).toEqual(["metadata.annotations[ebpf-dataplane.io/return-mode]"]);
  expect(problems[0]?.message).toContain("a Node has none of this prefix");
});

test("a node with IPv6 alone among nodes that have IPv4 is told that they do not reach each other", () => {
  const alone = { ...facts, address: "fd00::8", addressIpv6: "fd00::8" };
  const at = (name: string, address: string) =>
    node.parse({ metadata: { name }, status: { addresses: [{ type: "InternalIP", address }] } });
  const two = at("two", "172.31.1.9");
  expect(nodeProblems([named("one"), two], pools(pool(v6)), alone)).toMatchObject([
    { kind: "Node", name: "one", message: expect.stringContaining("the tunnels of two use") },
  ]);
  expect(nodeProblems([named("one"), two], pools(pool(v6)), { ...alone, address: "172.31.1.8" })).toEqual([]);
  expect(nodeProblems([named("one"), at("two", "fd00::9")], pools(pool(v6)), alone)).toEqual([]);
});
