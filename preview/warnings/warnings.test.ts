import { expect, test } from "vitest";
import { declaredOf } from "../declared/declared.ts";
import type { Resource } from "../resource.ts";
import { deployment, policy, service } from "../testing/objects.ts";
import {
  awsCluster,
  type DataplaneChoice,
  dataplane,
  object,
  resource,
  twoNodesAndAClient,
  urnOf,
} from "../testing/stack.ts";
import { warningsOf } from "./warnings.ts";

const aws = (choice: DataplaneChoice, ...more: Resource[]): Resource[] => [
  ...awsCluster(twoNodesAndAClient),
  ...dataplane(choice),
  ...more,
];
const warned = (resources: Resource[]) =>
  warningsOf(declaredOf(resources)).map(({ about, what }) => `${about}: ${what}`);
const nlb = { annotations: { "service.beta.kubernetes.io/aws-load-balancer-type": "external" } };
const urnOfLab = urnOf("ebpf-dataplane:index:LocalCluster", "lab");
const NGINX = { podSelector: "app == 'nginx'" };
const egressGateway = (name: string, spec: object = {}) =>
  object({
    apiVersion: "ebpf-dataplane.io/v1alpha1",
    kind: "EgressGateway",
    metadata: { name },
    spec: { podSelector: "all()", nodeSelector: "all()", ...spec },
  });
const balanced = [object(deployment("nginx")), object(service("nginx", { type: "LoadBalancer" }, nlb))];
const balancedBy = (mode: string) => {
  const annotations = { ...nlb.annotations, "ebpf-dataplane.io/return-mode": mode };
  return [object(deployment("nginx")), object(service("nginx", { type: "LoadBalancer" }, { annotations }))];
};

test("a correct stack has no warnings", () => {
  expect(warned(aws({}, object(deployment("nginx")), object(service("nginx"))))).toEqual([]);
});

test.each<[string, Resource[], string]>([
  [
    "DSR behind a network load balancer",
    aws({}, ...balanced),
    "Service nginx: its network load balancer tracks connections",
  ],
  [
    "DSR behind a network load balancer of the stack's own",
    aws({}, resource("aws:lb/loadBalancer:LoadBalancer", "front", { loadBalancerType: "network" })),
    "load balancer front: its network load balancer tracks",
  ],
  [
    "a classic load balancer",
    aws({ returnMode: "Tunnel" }, object(deployment("nginx")), object(service("nginx", { type: "LoadBalancer" }))),
    "Service nginx: AWS creates a classic load balancer for it",
  ],
  [
    "an MTU that EC2 does not carry",
    aws({ settings: { mtu: 9100 } }),
    "Dataplane mtu: it is 9100, but the nodes' interfaces carry 9001",
  ],
  [
    "an egress gateway without pods",
    aws({}, object(deployment("nginx")), egressGateway("a", { podSelector: "app == 'ngin'" })),
    "EgressGateway a: it selects none of the pods declared here",
  ],
  [
    "two egress gateways of one pod",
    aws({}, object(deployment("nginx")), egressGateway("b", NGINX), egressGateway("a", NGINX)),
    "EgressGateway b: pods of nginx leave the cluster by EgressGateway a, which selects them too and is the first by name",
  ],
  [
    "an egress address that no node has",
    aws({}, object(deployment("nginx")), egressGateway("a", { addresses: ["172.31.1.99"] })),
    "EgressGateway a: 172.31.1.99 is the address of none of the nodes declared here",
  ],
  ["an MTU that VXLAN leaves too little of", aws({ settings: { mtu: 1300 } }), "leaves pods 1250 bytes"],
  [
    "an MTU that IPIP leaves too little of",
    aws({ settings: { mtu: 1290 }, ipipMode: "CrossSubnet" }),
    "1290 minus the 20 of IPIP leaves pods 1270 bytes",
  ],
  [
    "a pool inside the VPC",
    aws({ pool: "172.31.128.0/17" }),
    "IPPool default-ipv4-ippool: 172.31.128.0/17 overlaps VPC cluster-vpc (172.31.0.0/16)",
  ],
  ["a pool around a node", aws({ pool: "172.31.1.0/24" }), "overlaps node master (172.31.1.8/32)"],
  [
    "services where machines are",
    aws({ settings: { serviceSubnet: "172.16.0.0/12" } }),
    "the Services' network: 172.16.0.0/12 overlaps client client1",
  ],
  [
    "a Service network that differs from the cluster's",
    aws({ settings: { serviceSubnet: "10.112.0.0/12" } }),
    "Dataplane: its serviceSubnet is 10.112.0.0/12, but the cluster allocates Service addresses from 10.96.0.0/12",
  ],
  [
    "a pool outside the cluster's",
    aws({ pool: "10.200.0.0/16" }),
    "IPPool default-ipv4-ippool: 10.200.0.0/16 is outside the cluster's podSubnet 10.244.0.0/16",
  ],
  [
    "an image without a registry",
    aws({ image: "ebpf-dataplane:0.1.0" }),
    "DaemonSet ebpf-dataplane/ebpf-dataplane: its image is ebpf-dataplane:0.1.0, without a registry",
  ],
  [
    "XDP on a lab's veth pairs",
    [
      resource("ebpf-dataplane:index:LocalCluster", "lab"),
      resource("pulumi:providers:kubernetes", "kubernetes", {}, { references: { kubeconfig: [urnOfLab] } }),
      ...dataplane({ xdp: "Native" }),
    ],
    "Dataplane xdp: it is Native, but the uplinks of a lab's nodes are veth pairs",
  ],
  [
    "an address for documentation",
    aws(
      {},
      resource("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "admin", { cidrIpv4: "203.0.113.7/32" }),
    ),
    "security groups: 203.0.113.7/32 is a documentation network",
  ],
  [
    "the source/destination check with DSR",
    [
      ...awsCluster([{ name: "node", role: "worker", address: "172.31.1.8", inputs: { sourceDestCheck: true } }]),
      ...dataplane(),
    ],
    "instances node: EC2's source/destination check is on, and drops replies",
  ],
  [
    "a verification without clients",
    [...dataplane(), resource("ebpf-dataplane:index:SourceIpVerification", "proof", { nodePort: 30604 })],
    "SourceIpVerification proof: no client machine is declared",
  ],
  [
    "a policy without pods",
    aws({}, object(policy("lonely", "ghost", {}))),
    "NetworkPolicy lonely: it selects none of the pods",
  ],
  ["a service without pods", aws({}, object(service("ghost"))), "Service ghost: its selector matches none of the pods"],
  [
    "egress without the name service",
    aws({}, object(deployment("web")), object(policy("quiet", "web", { policyTypes: ["Egress"], egress: [] }))),
    "NetworkPolicy default/quiet: pods of web cannot reach the cluster's name service",
  ],
  [
    "pods behind a router",
    aws({ vxlanMode: "Never" }),
    "IPPool default-ipv4-ippool: no encapsulation (vxlanMode and ipipMode are Never): a router between nodes",
  ],
  [
    "a field that the agents do not support",
    aws(
      {},
      object(deployment("nginx")),
      object(service("nginx", { type: "LoadBalancer", loadBalancerSourceRanges: ["the office"] })),
    ),
    "Service nginx: spec.loadBalancerSourceRanges",
  ],
])("warns of %s", (_, resources, expected) => {
  expect(warned(resources).join("\n")).toContain(expected);
});

const networksIpv6 = { podSubnetIpv6: "fd00:10:244::/56", serviceSubnetIpv6: "fd00:10:96::/112" };
const bothServices = { serviceSubnet: "10.96.0.0/12", serviceSubnetIpv6: "fd00:10:96::/112" };
const dualStack = (choice: DataplaneChoice, networks: object = networksIpv6) =>
  warned([...awsCluster(twoNodesAndAClient, networks), ...dataplane(choice)]);

test("a dual-stack cluster and its dataplane have the same networks", () => {
  expect(dualStack({ poolIpv6: "fd00:10:244::/56", settings: bothServices })).toEqual([]);
  expect(dualStack({ poolIpv6: "fd00:10:99::/56", settings: bothServices })).toEqual([
    "IPPool default-ipv6-ippool: fd00:10:99::/56 is outside the cluster's podSubnetIpv6 fd00:10:244::/56, which the cluster's security groups and routes use",
  ]);
  expect(dualStack({ poolIpv6: "fd00:10:244::/56", settings: bothServices }, {})).toEqual([
    "Dataplane: its serviceSubnetIpv6 is fd00:10:96::/112, but the cluster allocates Service addresses from none: it has no IPv6",
    "IPPool default-ipv6-ippool: fd00:10:244::/56 is an IPv6 network, but the cluster has no podSubnetIpv6: its nodes have no IPv6 addresses",
  ]);
});

test("a cluster that says its families has their usual networks, and with IPv6 alone none of IPv4", () => {
  const chosen = { poolIpv6: "fd00:10:244::/56", settings: bothServices };
  expect(dualStack(chosen, { ipFamilies: ["IPv4", "IPv6"] })).toEqual([]);
  expect(dualStack(chosen, { ipFamilies: ["IPv6"] })).toEqual([
    "IPPool default-ipv4-ippool: 10.244.0.0/16 is an IPv4 network, but the cluster has no podSubnet: its nodes have no IPv4 addresses",
  ]);
});

test("warns of a dual-stack cluster whose Services nobody serves at their IPv6 addresses", () => {
  expect(dualStack({})).toEqual([
    "Dataplane: the cluster is dual-stack, but no pool gives IPv6 addresses: pods have IPv4 addresses only, and Services are not reached at their addresses of fd00:10:96::/112",
  ]);
});

test("tunnel mode and kube-proxy work with a network load balancer", () => {
  expect(warned(aws({ returnMode: "Tunnel" }, ...balanced))).toEqual([]);
  expect(warned(aws({}, ...balancedBy("Tunnel")))).toEqual([]);
  expect(warned(aws({ returnMode: "Tunnel" }, ...balancedBy("DSR"))).join()).toContain("must see the replies");
  expect(warned(aws({ handling: "KubeProxyIptables" }, ...balanced))).toEqual([]);
});

test("a deleted resource has no warnings", () => {
  const [first, ...others] = balanced.map((one) => ({ ...one, change: "delete" as const }));
  expect(warned(aws({}, first as Resource, ...others))).toEqual([]);
});

const routeTo = (destinationCidrBlock: string) =>
  resource(
    "aws:ec2/route:Route",
    `to ${destinationCidrBlock}`,
    { destinationCidrBlock },
    {
      references: {
        routeTableId: ["urn:pulumi:dev::shop::aws:ec2/routeTable:RouteTable::routes"],
        networkInterfaceId: ["urn"],
      },
    },
  );

test("a pool whose addresses the VPC routes has no router that hides senders", () => {
  expect(warned(aws({ vxlanMode: "Never" }, routeTo("10.244.0.0/16")))).toEqual([]);
  expect(warned(aws({ vxlanMode: "Never" }, routeTo("10.243.0.0/16"))).join()).toContain("no encapsulation");
});

test("more routes than a table of AWS takes are told", () => {
  const routes = (count: number) =>
    Array.from({ length: count }, (_, index) => routeTo(`10.${index >> 8}.${index & 255}.0/24`));
  expect(warned(aws({}, ...routes(500)))).toEqual([]);
  expect(warned(aws({}, ...routes(501)))).toEqual([
    expect.stringMatching(/^route table routes: .* 501 routes, and AWS takes 500/),
  ]);
});
