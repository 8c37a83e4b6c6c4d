import { expect, test } from "vitest";
import { schemas } from "../schemas.ts";

type Name = "bgpConfigurations" | "bgpPeers" | "bgpFilters";
const read = (kind: Name, spec: object) => schemas[kind].safeParse({ metadata: { name: "default" }, spec });
const faults = (kind: Name, spec: object) =>
  read(kind, spec).error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) ?? [];
const peer = { peerIP: "192.0.2.1", asNumber: 64500 };
const rule = (more: object) => ({ importV4: [{ action: "Accept", ...more }] });

test.each<[string, Name, object]>([
  ["nothing", "bgpConfigurations", {}],
  [
    "Calico's example",
    "bgpConfigurations",
    {
      logSeverityScreen: "Info",
      nodeToNodeMeshEnabled: true,
      nodeMeshMaxRestartTime: "120s",
      asNumber: 63400,
      serviceClusterIPs: [{ cidr: "10.96.0.0/12" }],
      serviceExternalIPs: [{ cidr: "104.244.42.129/32" }],
      listenPort: 178,
      communities: [{ name: "bgp-large-community", value: "63400:300:100" }],
      prefixAdvertisements: [{ cidr: "172.218.4.0/26", communities: ["bgp-large-community", "63400:120"] }],
    },
  ],
  ["a peer with a port", "bgpPeers", { ...peer, peerIP: "[2001:db8::1]:1179", asNumber: "1.10" }],
  ["nodes", "bgpPeers", { nodeSelector: "has(rack)", peerSelector: "rr == 'a'", peerIP: "" }],
  [
    "rules",
    "bgpFilters",
    {
      exportV6: [
        { action: "Reject", cidr: "fd00::/8", matchOperator: "In", prefixLength: { min: 9 }, source: "RemotePeers" },
      ],
    },
  ],
])("%s is read", (_, kind, spec) => {
  expect(faults(kind, spec)).toEqual([]);
});

test.each<[Name, object, string]>([
  ["bgpConfigurations", { asNumber: 0 }, "spec.asNumber: allowed are numbers from 1"],
  ["bgpConfigurations", { asNumber: "1.65536" }, "spec.asNumber: allowed are"],
  ["bgpConfigurations", { bindMode: "None" }, "spec.bindMode: only NodeIP"],
  ["bgpConfigurations", { ignoredInterfaces: ["eth1"] }, 'spec: Unrecognized key: "ignoredInterfaces"'],
  [
    "bgpConfigurations",
    { communities: [{ name: "a", value: "65536:1" }] },
    'spec.communities.0.value: "65536:1" is no community',
  ],
  [
    "bgpConfigurations",
    { prefixAdvertisements: [{ cidr: "10.0.0.0/8", communities: ["b"] }] },
    'spec.prefixAdvertisements.0.communities.0: "b" is neither',
  ],
  [
    "bgpConfigurations",
    { nodeMeshPassword: { secretKeyRef: { name: "a", key: "b", optional: true } } },
    "spec.nodeMeshPassword.secretKeyRef.optional: only false",
  ],
  [
    "bgpConfigurations",
    { communities: [{ name: "a; }", value: "1:1" }] },
    "spec.communities.0.name: allowed are letters",
  ],
  ["bgpPeers", { peerIP: "192.0.2.1" }, "spec.asNumber: needs"],
  ["bgpPeers", {}, "spec.peerIP: needs peerIP or peerSelector"],
  ["bgpPeers", { ...peer, peerSelector: "all()" }, "spec.peerIP: cannot stand beside"],
  ["bgpPeers", { ...peer, peerIP: "router; }" }, 'spec.peerIP: "router; }" is no address'],
  ["bgpPeers", { ...peer, peerIP: "127.0.0.1" }, 'spec.peerIP: "127.0.0.1" is no address'],
  ["bgpPeers", { ...peer, peerIP: "fe80::1%eth0" }, "spec.peerIP: "],
  ["bgpPeers", { ...peer, peerIP: "192.0.2.1:0" }, "spec.peerIP: "],
  ["bgpPeers", { ...peer, node: "a", nodeSelector: "all()" }, "spec.nodeSelector: cannot stand beside node"],
  ["bgpPeers", { ...peer, keepOriginalNextHop: true, nextHopMode: "Self" }, "spec.nextHopMode: cannot"],
  [
    "bgpPeers",
    { ...peer, failureDetectionMode: "BFDIfDirectlyConnected", ttlSecurity: 1 },
    "spec.failureDetectionMode: cannot stand beside ttlSecurity",
  ],
  ["bgpPeers", { ...peer, failureDetectionMode: "BFD" }, "spec.failureDetectionMode: allowed are None, BFDIf"],
  ["bgpPeers", { ...peer, reachableBy: "192.0.2.9" }, 'spec: Unrecognized key: "reachableBy"'],
  ["bgpFilters", rule({ cidr: "10.0.0.0/8" }), "spec.importV4.0.matchOperator: cidr and matchOperator"],
  ["bgpFilters", rule({ cidr: "fd00::/8", matchOperator: "In" }), "spec.importV4.0.cidr: must be a network of IPv4"],
  ["bgpFilters", rule({ prefixLength: { min: 1 } }), "spec.importV4.0.prefixLength: needs"],
  ["bgpFilters", rule({ interface: "eth0" }), 'spec.importV4.0: Unrecognized key: "interface"'],
  ["bgpFilters", rule({ action: "accept" }), "spec.importV4.0.action: allowed are Accept, Reject"],
])("of %s %j is refused", (kind, spec, fault) => {
  expect(faults(kind, spec).join("\n")).toContain(fault);
});
