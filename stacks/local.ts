import { existsSync } from "node:fs";
import { isIPv6 } from "node:net";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import {
  AddressFamily,
  type ComparisonMode,
  Dataplane,
  type FlowLog,
  type Ipam,
  type LatencyMeasurement,
  type LatencyThreshold,
  LocalCluster,
  MachineRole,
  ReturnMode,
  ServiceHandling,
  type ServiceMetrics,
  SourceIpVerification,
  Verdict,
} from "../components/index.ts";
import { Settings } from "./settings.ts";

const config = new Settings([
  "returnMode",
  "serviceHandling",
  "ipam",
  "flowLog",
  "serviceMetrics",
  "ipFamilies",
  "router",
  "lab",
  "kubernetesVersion",
  "latency",
  "comparisonModes",
  "thresholds",
]);
const returnMode = config.get<ReturnMode>("returnMode") ?? ReturnMode.Dsr;
const serviceHandling = config.get<ServiceHandling>("serviceHandling") ?? ServiceHandling.Ebpf;

// Nodes, pods and Services have an IPv6 address beside their IPv4 address, unless this computer's kernel has no IPv6. Where a preview
// runs on another system than Linux, the cluster will be on another computer.
const { Ipv4, Ipv6 } = AddressFamily;
const hasIpv6 = process.platform !== "linux" || existsSync("/proc/net/if_inet6");
const usualFamilies = hasIpv6 ? [Ipv4, Ipv6] : [Ipv4];
const ipFamilies = config.getObject<AddressFamily[]>("ipFamilies") ?? usualFamilies;
const podSubnets = { [Ipv4]: "10.244.0.0/16", [Ipv6]: "fd00:10:244::/56" };
const serviceSubnetIpv6 = "fd00:10:96::/112";
/** What belongs to the cluster's families, the first one first. */
const ofFamilies = <Value>(values: Record<AddressFamily, Value>): Value[] => ipFamilies.map((family) => values[family]);

// The node that clients connect to; nginx runs on the other one. IPv6 addresses of machines end like those of IPv4.
const master = "172.31.1.8";
const [entryAddress = master, ...otherEntries] = ofFamilies({ [Ipv4]: master, [Ipv6]: "fd00:172:31:1::8" });

// The same machines in two subnets: what the master and client1 send to the node and client2 crosses a router and a smaller link.
const routed = {
  subnets: [
    { name: "west", cidr: "172.31.1.0/25" },
    { name: "east", cidr: "172.31.1.128/25", cidrIpv6: "fd00:172:31:2::/64", link: { mtu: 1400 } },
  ],
  machines: [
    { name: "router", role: MachineRole.Router, address: "172.31.1.1" },
    { name: "master", role: MachineRole.ControlPlane, address: master },
    { name: "node", role: MachineRole.Worker, address: "172.31.1.207" },
    { name: "client1", role: MachineRole.Client, address: "172.31.1.55" },
    { name: "client2", role: MachineRole.Client, address: "172.31.1.162" },
  ],
};

// Two nodes and two clients outside the cluster, on this computer. With another lab name a second one runs beside it.
const cluster = new LocalCluster("cluster", {
  name: config.get("lab") ?? process.env.EBPF_DATAPLANE_LAB ?? "local",
  kubernetesVersion: config.get("kubernetesVersion"),
  loadKubeProxyImage: serviceHandling !== ServiceHandling.Ebpf,
  ipFamilies,
  ...(config.getBoolean("router") && routed),
});
// The cluster's objects are deleted together with it.
const provider = new k8s.Provider("kubernetes", { kubeconfig: cluster.kubeconfig, deleteUnreachable: true });

// No kube-proxy: the dataplane handles services, the pods' network and policies. Only client1 may reach nginx.
const app = { app: "nginx" };
const dataplane = new Dataplane(
  "dataplane",
  {
    apiServer: cluster.apiServer,
    imageDigest: cluster.agentImageDigest,
    returnMode,
    serviceHandling,
    ipam: config.get<Ipam>("ipam"),
    flowLog: config.getObject<FlowLog>("flowLog"),
    serviceMetrics: config.getObject<ServiceMetrics>("serviceMetrics"),
    ipPools: ofFamilies(podSubnets).map((cidr) => ({ cidr })),
    ...(ipFamilies.includes(Ipv6) && { serviceSubnetIpv6 }),
    networkPolicies: [
      {
        name: "nginx",
        podSelector: { matchLabels: app },
        ingress: [
          {
            from: ofFamilies({ [Ipv4]: "172.31.1.55/32", [Ipv6]: "fd00:172:31:1::55/128" }).map((cidr) => ({
              ipBlock: { cidr },
            })),
            ports: [{ port: 80 }],
          },
        ],
      },
    ],
  },
  { provider },
);

const nginx = new k8s.apps.v1.Deployment(
  "nginx",
  {
    metadata: { name: "nginx" },
    spec: {
      replicas: 1,
      selector: { matchLabels: app },
      template: {
        metadata: { labels: app },
        spec: {
          // Not on the entry node, so that packets must cross the network between nodes.
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
const service = new k8s.core.v1.Service(
  "nginx",
  {
    metadata: { name: "nginx" },
    spec: {
      type: "NodePort",
      selector: app,
      ports: [{ protocol: "TCP", port: 80, targetPort: 80, nodePort: 30604 }],
      ...(ipFamilies.length > 1 && { ipFamilyPolicy: "RequireDualStack" }),
    },
  },
  { provider, dependsOn: nginx },
);

// Both clients are seen with their own addresses; with the policy alone client1 is served and client2 is dropped.
const verification = new SourceIpVerification(
  "source-ip",
  {
    kubeconfig: cluster.kubeconfig,
    labName: cluster.name,
    clients: cluster.clients,
    droppedClients: ["client2"],
    entryAddress,
    nodePort: 30604,
    targets: otherEntries.map((other) => ({ entryAddress: other, nodePort: 30604 })),
    podLabels: app,
    returnMode,
    serviceHandling,
    // The cluster's name service answers pods: its own services work too.
    expectations: [
      { from: "pod/default/app=nginx", to: "udp://service/kube-system/kube-dns:53", verdict: Verdict.Allowed },
    ],
    // Measurements run only if the stack's settings request them.
    latency: config.getObject<LatencyMeasurement>("latency"),
    comparisonModes: config.getObject<ComparisonMode[]>("comparisonModes"),
    thresholds: config.getObject<LatencyThreshold[]>("thresholds"),
    triggers: [dataplane.contentHash, pulumi.jsonStringify([nginx.spec, service.spec])],
  },
  { dependsOn: [dataplane, service] },
);

export const url = `http://${isIPv6(entryAddress) ? `[${entryAddress}]` : entryAddress}:30604`;
export const kubeconfig = cluster.kubeconfig;
export const sourceAddressPreserved = verification.verdict;
export const figures = verification.figures;
