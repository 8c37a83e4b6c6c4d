import { isIPv6 } from "node:net";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import {
  AddressFamily,
  AwsCluster,
  cloudRoutePools,
  Dataplane,
  HostKeyChecking,
  PodRouting,
  ReturnMode,
  SourceIpVerification,
} from "../components/index.ts";
import { Settings } from "./settings.ts";

const config = new Settings([
  "sshPublicKey",
  "returnMode",
  "ipFamilies",
  "adminCidrs",
  "kubernetesVersion",
  "sourceDestCheck",
  "podRouting",
  "protectControlPlane",
  "image",
  "sshPrivateKey",
]);
const sshPublicKey = config.get("sshPublicKey");
const returnMode = config.get<ReturnMode>("returnMode") ?? ReturnMode.Dsr;

// Machines have an IPv4 address in any case, and an IPv6 address besides where nodes, pods and Services have one in Kubernetes.
const { Ipv4, Ipv6 } = AddressFamily;
const ipFamilies = config.getList<AddressFamily>("ipFamilies") ?? [Ipv4];
const podSubnets = { [Ipv4]: "10.244.0.0/16", [Ipv6]: "fd00:10:244::/56" };
/** Whether the VPC's route tables lead to each node's pods, in place of tunnels between subnets. */
const podRouting = config.get<PodRouting>("podRouting");
const serviceSubnetIpv6 = "fd00:10:96::/112";
/** What belongs to the cluster's families, the first one first. */
const ofFamilies = <Value>(values: Record<AddressFamily, Value>): Value[] => ipFamilies.map((family) => values[family]);

// The node that clients connect to; nginx runs on the other one.
const master = "172.31.1.8";

// A VPC with two nodes and two clients outside the cluster, all in one subnet.
const cluster = new AwsCluster("cluster", {
  adminCidrs: config.requireObject<string[]>("adminCidrs"),
  kubernetesVersion: config.get("kubernetesVersion"),
  ipFamilies,
  returnMode,
  sourceDestCheck: config.getBoolean("sourceDestCheck"),
  podRouting,
  protectControlPlane: config.getBoolean("protectControlPlane"),
  ssh: sshPublicKey ? { publicKey: sshPublicKey, cidrs: config.requireObject<string[]>("adminCidrs") } : undefined,
});
// The cluster's objects are deleted together with it.
const provider = new k8s.Provider("kubernetes", { kubeconfig: cluster.kubeconfig, deleteUnreachable: true });

// AWS chooses the machines' IPv6 addresses.
const addressIpv6 = (machines: typeof cluster.nodes, wanted: string) =>
  machines.apply((all) => all.find(({ name }) => name === wanted)?.addressIpv6 ?? "");
const [entryAddress = master, ...otherEntries] = ofFamilies<pulumi.Input<string>>({
  [Ipv4]: master,
  [Ipv6]: addressIpv6(cluster.nodes, "master"),
});
const client1Ipv6 = pulumi.interpolate`${addressIpv6(cluster.clients, "client1")}/128`;

// No kube-proxy: the dataplane handles services, the pods' network and policies. Only client1 may reach nginx.
const app = { app: "nginx" };
const dataplane = new Dataplane(
  "dataplane",
  {
    apiServer: cluster.apiServer,
    image: config.require("image"),
    returnMode,
    ipPools:
      podRouting === PodRouting.CloudRoutes ? cloudRoutePools() : ofFamilies(podSubnets).map((cidr) => ({ cidr })),
    ...(ipFamilies.includes(Ipv6) && { serviceSubnetIpv6 }),
    networkPolicies: [
      {
        name: "nginx",
        podSelector: { matchLabels: app },
        ingress: [
          {
            from: ofFamilies<pulumi.Input<string>>({ [Ipv4]: "172.31.1.55/32", [Ipv6]: client1Ipv6 }).map((cidr) => ({
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

// Access to the clients: SSH with the key of the configuration, or, in a rehearsal, as machines of the lab.
const enter = (client: string) => ({
  client,
  user: "admin",
  host: cluster.publicClients.apply((all) => all.find(({ name }) => name === client)?.address ?? ""),
  // The instances are new: their host keys are not known yet, and nothing but probes is sent to them.
  hostKeyChecking: HostKeyChecking.Off,
});

// Both clients are seen with their own address; with the policy alone client1 is served and client2 is dropped.
const verification = new SourceIpVerification(
  "source-ip",
  {
    kubeconfig: cluster.kubeconfig,
    labName: process.env.EBPF_DATAPLANE_LAB || "aws",
    clients: cluster.clients,
    ssh: sshPublicKey ? ["client1", "client2"].map(enter) : [],
    sshPrivateKey: config.getSecret("sshPrivateKey"),
    droppedClients: ["client2"],
    entryAddress,
    nodePort: 30604,
    targets: otherEntries.map((other) => ({ entryAddress: other, nodePort: 30604 })),
    podLabels: app,
    returnMode,
    triggers: [dataplane.contentHash, pulumi.jsonStringify([nginx.spec, service.spec])],
  },
  { dependsOn: [dataplane, service] },
);

export const url = pulumi.output(entryAddress).apply((host) => `http://${isIPv6(host) ? `[${host}]` : host}:30604`);
export const kubeconfig = cluster.kubeconfig;
export const clients = cluster.publicClients;
export const sourceAddressPreserved = verification.verdict;
