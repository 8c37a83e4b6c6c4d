import { expect, test } from "vitest";
import { declaredOf } from "../declared/declared.ts";
import { awsCluster, dataplane, object, resource, twoNodesAndAClient } from "../testing/stack.ts";
import { warningsOf } from "./warnings.ts";

const written = (kind: string, name: string, spec: object) =>
  object({ apiVersion: "projectcalico.org/v3", kind, metadata: { name }, spec });
const peer = (name: string, spec: object) =>
  written("BGPPeer", name, { peerIP: "172.31.1.1", asNumber: 64500, ...spec });
const subnet = resource("aws:ec2/subnet:Subnet", "cluster-subnet", { cidrBlock: "172.31.1.0/24" });
const warned = (...objects: ReturnType<typeof object>[]) =>
  warningsOf(declaredOf([...awsCluster(twoNodesAndAClient), subnet, ...dataplane(), ...objects])).map(
    ({ about, what }) => `${about}: ${what}`,
  );

test.each<[string, ReturnType<typeof object>[]]>([
  ["a peer with its filter", [peer("tor", { filters: ["safe"] }), written("BGPFilter", "safe", {})]],
  ["one address for two nodes", [peer("a", { node: "master" }), peer("b", { node: "node", asNumber: 64501 })]],
  ["one peer twice", [peer("a", {}), peer("b", { node: "node" })]],
  ["an address that is not known yet", [peer("tor", { peerIP: undefined })]],
  ["nodes by selectors", [written("BGPPeer", "all", { nodeSelector: "all()", peerSelector: "has(reflector)" })]],
])("no warning: %s", (_, objects) => expect(warned(...objects)).toEqual([]));

test.each<[string, ReturnType<typeof object>[], string]>([
  [
    "a filter that is not declared",
    [peer("tor", { filters: ["safe"] })],
    "BGPPeer tor: spec.filters[0]: BGPFilter safe",
  ],
  ["a node that is not declared", [peer("tor", { node: "nod" })], "BGPPeer tor: spec.node: no node of the cluster"],
  ["a distant peer", [peer("tor", { peerIP: "10.9.0.1" })], "BGPPeer tor: spec.peerIP: 10.9.0.1 is in no subnet of"],
  [
    "two AS numbers for one peer",
    [peer("a", {}), peer("b", { node: "node", asNumber: 64501 })],
    "BGPPeer b: spec.peerIP: 172.31.1.1 is the peer of BGPPeer a too",
  ],
  ["an AS number out of range", [peer("tor", { asNumber: 4_294_967_296 })], "BGPPeer tor: spec.asNumber"],
  ["a selector that is none", [peer("tor", { nodeSelector: "rack = 1" })], "BGPPeer tor: spec.nodeSelector"],
  [
    "an unknown field",
    [written("BGPConfiguration", "default", { ignoredInterfaces: ["eth1"] })],
    "BGPConfiguration default: spec",
  ],
])("%s", (_, objects, start) => {
  const found = warned(...objects);
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(start);
});
