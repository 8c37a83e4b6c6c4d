import { expect, test } from "vitest";
import { parseCidr } from "../address/address.ts";
import { bgpConfiguration } from "../objects/bgp/configuration.ts";
import { felixConfiguration } from "../objects/calico.ts";
import { networksOfServicesAlone } from "./advertised.ts";

const nodes = {
  addresses: new Map([
    ["172.31.1.8", "here"],
    ["172.31.9.8", "far"],
    ["fd00::8", "here"],
  ]),
  facts: { subnets: ["172.31.1.0/25"] },
};
const pools = { pools: [{ owner: "IPPool pods", cidr: parseCidr("10.244.0.0/16") }] };
const metadata = { name: "default" };
const networks = (spec: object | undefined, felix?: object) => {
  const configuration = spec && bgpConfiguration.parse({ metadata, spec });
  const mode = felix && felixConfiguration.parse({ metadata, spec: {}, ...felix });
  return networksOfServicesAlone(configuration, mode, nodes as never, pools).map(({ text }) => text);
};
const external = (...all: string[]) => ({ serviceExternalIPs: all.map((cidr) => ({ cidr })) });

test.each<[string, object | undefined, string[]]>([
  ["without a configuration", undefined, []],
  [
    "of every kind, and both families",
    {
      serviceClusterIPs: [{ cidr: "10.96.0.0/12" }, { cidr: "fd00:96::/112" }],
      ...external("203.0.113.0/25"),
      serviceLoadBalancerIPs: [{ cidr: "203.0.113.128/25" }],
    },
    ["10.96.0.0/12", "fd00:96::/112", "203.0.113.0/25", "203.0.113.128/25"],
  ],
  ["one address, which is announced only as a Service's", external("203.0.113.7/32"), []],
  [
    "addresses that are announced one by one",
    { serviceLoadBalancerIPs: [{ cidr: "203.0.113.0/24" }], serviceLoadBalancerAggregation: "Disabled" },
    [],
  ],
  ["a network around the node's subnet", external("172.31.0.0/21"), []],
  ["a part of the node's subnet", external("172.31.1.64/26"), []],
  ["a network with another node's address", external("172.31.9.0/24", "fd00::/64"), []],
  ["a part of a pool", external("10.244.9.0/24"), []],
])("networks of Services alone: %s", (_, spec, expected) => {
  expect(networks(spec)).toEqual(expected);
});

test.each<[string, object, string[]]>([
  ["nothing", {}, ["10.96.0.0/12"]],
  ["Drop", { spec: { serviceLoopPrevention: "Drop" } }, ["10.96.0.0/12"]],
  ["Disabled", { spec: { serviceLoopPrevention: "Disabled" } }, []],
  [
    "that kube-proxy handles Services",
    { metadata: { ...metadata, annotations: { "ebpf-dataplane.io/service-handling": "KubeProxyIptables" } } },
    [],
  ],
])("where FelixConfiguration says %s", (_, felix, expected) => {
  expect(networks({ serviceClusterIPs: [{ cidr: "10.96.0.0/12" }] }, felix)).toEqual(expected);
});
