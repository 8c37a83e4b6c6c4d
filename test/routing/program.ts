// A cluster of two subnets with a router between them that learns pods' and Services' addresses by BGP; some pods leave it by a gateway.
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import {
  AddressFamily,
  Dataplane,
  type Ipam,
  IpPoolUse,
  LocalCluster,
  MachineRole,
  VxlanMode,
} from "../../components/index.ts";

const { Client, ControlPlane, Router, Worker } = MachineRole;
const cluster = new LocalCluster("cluster", {
  name: process.env.EBPF_DATAPLANE_LAB ?? "routing",
  ipFamilies: [AddressFamily.Ipv4],
  subnets: [
    { name: "west", cidr: "172.31.1.0/25" },
    { name: "east", cidr: "172.31.1.128/25", cidrIpv6: "fd00:172:31:2::/64" },
  ],
  machines: [
    { name: "router", role: Router, address: "172.31.1.1" },
    { name: "master", role: ControlPlane, address: "172.31.1.8" },
    { name: "edge", role: Worker, address: "172.31.1.9" },
    { name: "node", role: Worker, address: "172.31.1.207" },
    { name: "client1", role: Client, address: "172.31.1.55" },
    { name: "client2", role: Client, address: "172.31.1.162" },
  ],
});
const provider = new k8s.Provider("kubernetes", { kubeconfig: cluster.kubeconfig, deleteUnreachable: true });

const balancers = "192.0.2.0/28";
const app = { app: "web" };
const isNode = "kubernetes.io/hostname == 'node'";
const dataplane = new Dataplane(
  "dataplane",
  {
    apiServer: cluster.apiServer,
    imageDigest: cluster.agentImageDigest,
    ipam: new pulumi.Config("ebpf-dataplane").get("ipam") as Ipam | undefined,
    loadBalancer: true,
    ipPools: [
      { cidr: "10.244.0.0/16", vxlanMode: VxlanMode.Never, natOutgoing: false },
      { name: "balancers", cidr: balancers, allowedUses: [IpPoolUse.LoadBalancer] },
    ],
    bgp: { serviceClusterIPs: [{ cidr: "10.96.0.0/12" }], serviceLoadBalancerIPs: [{ cidr: balancers }] },
    bgpPeers: [
      { name: "west", nodeSelector: `!(${isNode})`, peerIP: "172.31.1.1", asNumber: 64500 },
      { name: "east", nodeSelector: isNode, peerIP: "172.31.1.129", asNumber: 64500 },
    ],
    // The first by name is "edge".
    egressGateways: [
      { name: "web", podSelector: "app == 'web'", nodeSelector: `!(${isNode})`, destinations: ["172.31.1.128/25"] },
    ],
  },
  { provider },
);
const web = new k8s.apps.v1.Deployment(
  "web",
  {
    metadata: { name: "web" },
    spec: {
      replicas: 2,
      selector: { matchLabels: app },
      template: {
        metadata: { labels: app },
        spec: {
          nodeSelector: { "kubernetes.io/hostname": "node" },
          containers: [
            { name: "nginx", image: "nginx", imagePullPolicy: "IfNotPresent", ports: [{ containerPort: 80 }] },
          ],
        },
      },
    },
  },
  { provider, dependsOn: dataplane },
);
new k8s.core.v1.Service(
  "web",
  { metadata: { name: "web" }, spec: { type: "LoadBalancer", selector: app, ports: [{ port: 80, targetPort: 80 }] } },
  { provider, dependsOn: web },
);
