import { existsSync } from "node:fs";
import { isIPv6 } from "node:net";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import {
  AddressFamily,
  type ComparisonMode,
  Dataplane,
  type Encryption,
  type FlowLog,
  type FlowLogsLocalReporter,
  type Ipam,
  type IpipMode,
  IpPoolUse,
  type LatencyMeasurement,
  type LatencyThreshold,
  LocalCluster,
  type LocalSubnet,
  type Machine,
  ReturnMode,
  ServiceHandling,
  type ServiceMetrics,
  SourceIpVerification,
  Verdict,
  type VxlanMode,
} from "../components/index.ts";
import { addressesOf, MOST, roomFault, shapeOf, subnetsFault } from "./local-shape.ts";
import { Settings } from "./settings.ts";

const config = new Settings([
  "returnMode",
  "serviceHandling",
  "ipam",
  "encryption",
  "flowLog",
  "flowLogsLocalReporter",
  "serviceMetrics",
  "ipFamilies",
  "nodes",
  "clients",
  "router",
  "subnets",
  "vxlanMode",
  "ipipMode",
  "loadBalancerPools",
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
const ipFamilies = config.getList<AddressFamily>("ipFamilies") ?? usualFamilies;
const podSubnets = { [Ipv4]: "10.244.0.0/16", [Ipv6]: "fd00:10:244::/56" };
const serviceSubnetIpv6 = "fd00:10:96::/112";
/** What belongs to the cluster's families, the first one first. */
const ofFamilies = <Value>(values: Record<AddressFamily, Value>): Value[] => ipFamilies.map((family) => values[family]);

// The master is the node that clients connect to; nginx runs on another one.
const shape = askedShape();
const { controlPlane, serving } = shape;
const [client1, ...keptOut] = shape.clients;
/** A machine's addresses, of the cluster's families. */
const addresses = (machine: Machine) => ofFamilies(addressesOf(shape, machine));
const [entryAddress = "", ...furtherEntries] = [controlPlane, ...shape.others].flatMap(addresses);

// Two nodes and two clients outside the cluster by default, on this computer. With another lab name a second one runs beside it.
const cluster = new LocalCluster("cluster", {
  name: config.get("lab") ?? (process.env.EBPF_DATAPLANE_LAB || "local"),
  kubernetesVersion: config.get("kubernetesVersion"),
  loadKubeProxyImage: serviceHandling !== ServiceHandling.Ebpf,
  ipFamilies,
  ...shape.cluster,
});
// The cluster's objects are deleted together with it.
const provider = new k8s.Provider("kubernetes", { kubeconfig: cluster.kubeconfig, deleteUnreachable: true });

/** Networks from which Services of type LoadBalancer get their addresses. */
const balancers = config.getList<string>("loadBalancerPools") ?? [];

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
    encryption: config.get<Encryption>("encryption"),
    flowLog: config.getObject<FlowLog>("flowLog"),
    flowLogsLocalReporter: config.get<FlowLogsLocalReporter>("flowLogsLocalReporter"),
    serviceMetrics: config.getObject<ServiceMetrics>("serviceMetrics"),
    ...(balancers.length > 0 && { loadBalancer: true }),
    ipPools: [
      ...ofFamilies(podSubnets).map((cidr) => ({
        cidr,
        vxlanMode: config.get<VxlanMode>("vxlanMode"),
        ...(!isIPv6(cidr) && { ipipMode: config.get<IpipMode>("ipipMode") }),
      })),
      ...balancers.map((cidr, index) => ({
        name: `load-balancers-${index + 1}`,
        cidr,
        allowedUses: [IpPoolUse.LoadBalancer],
      })),
    ],
    ...(ipFamilies.includes(Ipv6) && { serviceSubnetIpv6 }),
    networkPolicies: [
      {
        name: "nginx",
        podSelector: { matchLabels: app },
        ingress: [
          {
            from: addresses(client1 as Machine).map((address) => ({
              ipBlock: { cidr: `${address}/${isIPv6(address) ? 128 : 32}` },
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
          // Not on the entry node, so that packets must cross the network between nodes. A cluster of one node has no other.
          nodeSelector: { "kubernetes.io/hostname": serving.name },
          ...(serving === controlPlane && {
            tolerations: [{ key: "node-role.kubernetes.io/control-plane", operator: "Exists" }],
          }),
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

// All clients are seen with their own addresses; with the policy alone client1 is served and the others are dropped.
const verification = new SourceIpVerification(
  "source-ip",
  {
    kubeconfig: cluster.kubeconfig,
    labName: cluster.name,
    clients: cluster.clients,
    droppedClients: keptOut.map(({ name }) => name),
    entryAddress,
    nodePort: 30604,
    targets: furtherEntries.map((other) => ({ entryAddress: other, nodePort: 30604 })),
    podLabels: app,
    returnMode,
    serviceHandling,
    // The cluster's name service answers pods: its own services work too.
    expectations: [
      { from: "pod/default/app=nginx", to: "udp://service/kube-system/kube-dns:53", verdict: Verdict.Allowed },
    ],
    // Measurements run only if the stack's settings request them.
    latency: config.getObject<LatencyMeasurement>("latency"),
    comparisonModes: config.getList<ComparisonMode>("comparisonModes"),
    thresholds: config.getList<LatencyThreshold>("thresholds"),
    triggers: [dataplane.contentHash, pulumi.jsonStringify([nginx.spec, service.spec])],
  },
  { dependsOn: [dataplane, service] },
);

export const url = `http://${isIPv6(entryAddress) ? `[${entryAddress}]` : entryAddress}:30604`;
export const kubeconfig = cluster.kubeconfig;
export const sourceAddressPreserved = verification.verdict;
export const figures = verification.figures;

/** Nodes, clients and subnets that the settings ask for. */
function askedShape() {
  const counts = {
    nodes: config.getCount("nodes", MOST.nodes) ?? 2,
    clients: config.getCount("clients", MOST.clients) ?? 2,
  };
  const subnets = config.getList<LocalSubnet>("subnets");
  if (subnets !== undefined) {
    const fault = subnetsFault(subnets) ?? roomFault(subnets, counts);
    if (fault) config.refuse("subnets", fault.received, fault.allowed, fault.path);
  }
  const isIpv6Alone = ipFamilies.length === 1 && ipFamilies[0] === Ipv6;
  return shapeOf({ ...counts, router: config.getBoolean("router") ?? false, subnets, isIpv6Alone });
}
