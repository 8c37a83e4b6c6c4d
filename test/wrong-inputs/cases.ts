// What people get wrong in a program or its settings. Said of each: the object with the field, and what is allowed there.
import { join } from "node:path";
import { component, type Row, root, type WrongInput } from "./case.ts";
import { PASTED } from "./pasted.ts";

function stack(name: string, base: object, rows: readonly Row[]): WrongInput[] {
  const project = `name: ebpf-dataplane\nruntime: nodejs\nmain: ${join(root, "stacks", `${name}.ts`)}\n`;
  return rows.map(([settings, place, allowed]) => {
    const file = JSON.stringify({ config: { ...base, ...(settings as object) } });
    return { of: `stack ${name}`, files: { "Pulumi.yaml": project, "Pulumi.dev.yaml": file }, place, allowed };
  });
}

const project = (files: Record<string, string>, place: string, allowed: string): WrongInput => ({
  ...{ of: "project", files, place, allowed },
});
/** Of a project that is right otherwise. */
const settingsFile = (text: string, place: string, allowed: string) =>
  project(
    {
      "Pulumi.yaml": `name: ebpf-dataplane\nruntime: nodejs\nmain: ${join(root, "stacks", "local.ts")}\n`,
      "Pulumi.dev.yaml": text,
    },
    place,
    allowed,
  );

const apiServer = { host: "172.31.1.8", port: 6443 };
const kubeconfig = "apiVersion: v1";
const adminCidrs = ["203.0.113.7/32"];
const clients = [{ name: "client1", address: "172.31.1.55" }];
const proof = { kubeconfig, clients, entryAddress: "172.31.1.8", nodePort: 30604, podLabels: { app: "nginx" } };
const machine = (name: string, role: string, address: string) => ({ name, role, address });
const machines = (...others: object[]) => ({ machines: [machine("master", "control-plane", "172.31.1.8"), ...others] });
const peer = { name: "tor", peerIP: "172.31.1.250", asNumber: 64_513 };
const gateway = { name: "out", podSelector: "app == 'db'", nodeSelector: "has(egress)" };
const expectation = { from: "client1", to: "tcp://172.31.1.8:80", verdict: "allowed" };
const cidr = "10.244.0.0/16";
const subnets = (second: string) => [
  { name: "a", cidr: "10.1.1.0/24" },
  { name: "b", cidr: second },
];
const usersConfig = "apiVersion: v1\nkind: Config\nclusters: []\n";

export const WRONG_INPUTS: readonly WrongInput[] = [
  ...component("Dataplane", {}, [[{}, "apiServer is undefined", "an object with host, port"]]),
  ...component("Dataplane", { apiServer }, [
    [{ returnMode: "DSR" }, 'returnMode is "DSR"', 'did you mean "dsr"?'],
    [{ mtu: "1450" }, 'mtu is "1450"', "did you mean 1450, without quotes?"],
    [{ mtu: 900 }, "mtu is 900", "a whole number from 1280 to 65535"],
    [{ ipPool: [] }, 'unknown key "ipPool"', 'did you mean "ipPools"?'],
    [{ uplinks: [] }, "uplinks is []", "at least one interface"],
    [{ serviceSubnet: "10.0.0.0/8" }, 'serviceSubnet is "10.0.0.0/8"', "a network from /12 to /24"],
    [{ image: "r/a:1", imageRegistry: "r" }, 'imageRegistry is "r"', "left out beside image"],
    [{ imageRegistry: "https://r.example/x" }, "imageRegistry is", 'did you mean "r.example/x"?'],
    [{ ipam: "host-local" }, 'ipam is "host-local"', 'did you mean "HostLocal"?'],
    [{ namespace: "Kube System" }, 'namespace is "Kube System"', "lower case letters"],
    [{ flowLog: { intervalSeconds: 0 } }, "flowLog.intervalSeconds is 0", "a whole number from 1 to 3600"],
    [{ flowLogsLocalReporter: "on" }, 'flowLogsLocalReporter is "on"', '"Enabled" or "Disabled"'],
    [{ serviceMetrics: { limit: 0 } }, "serviceMetrics.limit is 0", "a whole number from 1 to 5000"],
    [{ resources: { limits: { memory: "lots" } } }, 'resources.limits.memory is "lots"', 'like "100m" or "256Mi"'],
    [{ updateStrategy: { type: "Recreate" } }, 'updateStrategy: unknown key "type"', "allowed: rollingUpdate"],
    [
      { failsafeInboundHostPorts: [{ protocol: "tcp", port: 22 }] },
      "failsafeInboundHostPorts[0].protocol",
      'did you mean "TCP"?',
    ],
    // mapSizes
    [{ mapSizes: { connections: 10 } }, "mapSizes.connections is 10", "a whole number from 1024 to 1048576"],
    [{ mapSizes: { affinities: 1.5 } }, "mapSizes.affinities is 1.5", "a whole number from 1024"],
    [{ mapSizes: { frontends: "131072" } }, 'mapSizes.frontends is "131072"', "did you mean 131072, without quotes?"],
    [{ mapSizes: { endpoints: 1e9 } }, "mapSizes.endpoints is 1000000000", "to 4194304"],
    [{ mapSizes: { conntrack: 65_536 } }, 'mapSizes: unknown key "conntrack"', "allowed: connections, affinities"],
    [{ mapSizes: 65_536 }, "mapSizes is 65536", "an object with connections"],
    // monitoring
    [{ monitoring: { podmonitor: {} } }, 'monitoring: unknown key "podmonitor"', 'did you mean "podMonitor"?'],
    [{ monitoring: { podMonitor: {} } }, "metricsAddress is undefined", '"Node" or "Any" beside monitoring.podMonitor'],
    [
      { metricsAddress: "Node", monitoring: { podMonitor: { interval: "often" } } },
      'monitoring.podMonitor.interval is "often"',
      "30s",
    ],
    [{ monitoring: { access: { tls: {} } } }, "monitoring.access.tls.secretName is undefined", "must be a text"],
    [
      { monitoring: { access: { bearerTokenSecret: { name: "a", key: "t" } } } },
      "monitoring.access.tls is undefined",
      "given beside bearerTokenSecret",
    ],
    [{ monitoring: { dashboards: { namespace: "Up" } } }, "monitoring.dashboards.namespace is", "lower case letters"],
    // BGP
    [{ bgp: { asNumber: 0 } }, "bgp.asNumber", "numbers from 1 to 4294967295"],
    [{ bgp: { asNumber: "64512" } }, 'bgp.asNumber is "64512"', "did you mean 64512, without quotes?"],
    [{ bgp: { listenPort: 70_000 } }, "bgp.listenPort is 70000", "at most 65535"],
    [{ bgp: { serviceClusterIPs: ["10.96.0.0/12"] } }, "bgp.serviceClusterIPs[0]", "an object with cidr"],
    [{ bgp: { nodeMeshMaxRestartTime: "2 minutes" } }, "bgp.nodeMeshMaxRestartTime", "120s or 2m"],
    [{ bgp: { communities: [{ name: "a", value: "65000" }] } }, "bgp.communities[0].value", "64512:100"],
    [{ bgpPeers: [{ name: "tor" }] }, "bgpPeers[0].peerIP", "needs peerIP or peerSelector"],
    [{ bgpPeers: [{ ...peer, peerIp: "a" }] }, 'bgpPeers[0]: unknown key "peerIp"', 'did you mean "peerIP"?'],
    [{ bgpPeers: [{ ...peer, peerIP: "tor.example" }] }, 'bgpPeers[0].peerIP: "tor.example"', "allowed are 192.0.2.1"],
    [{ bgpPeers: [{ ...peer, node: "a", nodeSelector: "all()" }] }, "bgpPeers[0].nodeSelector", "beside node"],
    [{ bgpPeers: [peer, peer] }, 'bgpPeers[1].name is "tor"', "different from bgpPeers[0].name"],
    [{ bgpPeers: [{ ...peer, name: "Tor" }] }, 'bgpPeers[0].name is "Tor"', "a Kubernetes object name"],
    [
      { bgpFilters: [{ name: "f", exportV4: [{ action: "accept" }] }] },
      "bgpFilters[0].exportV4[0].action",
      'did you mean "Accept"?',
    ],
    // Egress gateways
    [
      { egressGateways: [{ name: "o", podSelector: "all()" }] },
      "egressGateways[0].nodeSelector is undefined",
      "a text",
    ],
    [
      { egressGateways: [{ ...gateway, podSelector: "app = db" }] },
      "egressGateways[0].podSelector",
      "did you mean ==?",
    ],
    [
      { egressGateways: [{ ...gateway, addresses: ["192.0.2.1/24"] }] },
      "egressGateways[0].addresses[0]",
      "the form 192.0.2.10",
    ],
    [
      { egressGateways: [{ ...gateway, destinations: ["0.0.0.0"] }] },
      "egressGateways[0].destinations[0]",
      "the form 10.244.0.0/16",
    ],
    [
      { egressGateways: [{ ...gateway, destination: [] }] },
      "egressGateways[0]: unknown key",
      'did you mean "destinations"?',
    ],
    [{ egressGateways: [{ ...gateway, name: "Out" }] }, 'egressGateways[0].name is "Out"', "a Kubernetes object name"],
  ]),
  ...component("LocalCluster", {}, [
    [{ name: "My-Lab" }, 'name is "My-Lab"', "at most 12 lower case letters and digits"],
    [
      machines(machine("node", "worker", "172.31.1.1")),
      'machines[1].address is "172.31.1.1"',
      "from 172.31.1.2 to 172.31.1.254",
    ],
    [machines(machine("node", "Worker", "172.31.1.9")), 'machines[1].role is "Worker"', 'did you mean "worker"?'],
    [
      machines(machine("b", "control-plane", "172.31.1.9")),
      "machines is a list",
      'exactly one machine of the role "control-plane"',
    ],
    [{ kubernetesVersion: "1.35.0" }, 'kubernetesVersion is "1.35.0"', 'a release like "v1.35.0"'],
    [{ podSubnet: "172.31.0.0/16" }, 'podSubnet is "172.31.0.0/16"', "apart from the machines' network"],
    [{ kubeProxyImage: true }, 'unknown key "kubeProxyImage"', '"loadKubeProxyImage"'],
  ]),
  ...component("AwsCluster", { adminCidrs }, [
    [{ adminCidrs: ["0.0.0.0/0"] }, "the API server is open to 0.0.0.0/0", 'openToWorld: ["api-server"]'],
    [{ adminCidrs: ["203.0.113.7"] }, 'adminCidrs[0] is "203.0.113.7"', "did you mean 203.0.113.7/32?"],
    [{ imageId: "debian-13" }, 'imageId is "debian-13"', 'an id like "ami-0123456789abcdef0"'],
    [{ podRouting: "Routes" }, 'podRouting is "Routes"', '"Nodes" or "CloudRoutes"'],
    [{ diskSize: 4 }, "diskSize is 4", "a whole number from"],
    [{ ssh: { publicKey: "id_rsa.pub", cidrs: adminCidrs } }, "ssh.publicKey is", "an OpenSSH public key"],
  ]),
  ...component("ExistingCluster", { kubeconfig, dataplane: { apiServer } }, [
    [{ kubeconfig: "~/.kube/config" }, "kubeconfig:", "the content of a kubeconfig"],
    [{ dataplane: { apiServer, ipPool: [] } }, 'dataplane: unknown key "ipPool"', 'did you mean "ipPools"?'],
    [{ dataplane: { apiServer, mapSizes: { endpoints: 0 } } }, "dataplane.mapSizes.endpoints is 0", "from 1024"],
    [{ existingKubeProxy: "keep" }, 'existingKubeProxy is "keep"', '"refuse" or "remove"'],
    [{ clusterId: "prod" }, 'clusterId is "prod"', "the UID of the cluster's namespace kube-system"],
  ]),
  ...component("SourceIpVerification", proof, [
    [{ clients: [] }, "clients is []", "at least one machine outside the cluster"],
    [{ droppedClients: ["nobody"] }, 'droppedClients[0] is "nobody"', "the name of a client: client1"],
    [{ nodePort: 80 }, "nodePort is 80", "a whole number from 30000 to 32767"],
    [{ entryAddress: "http://172.31.1.8" }, "entryAddress is", "an IPv4 address like 172.31.1.8"],
    [{ expectations: [{ ...expectation, to: "tcp://a:0" }] }, "expectations[0].to is", "a port from 1 to 65535"],
    [
      { expectations: [{ ...expectation, verdict: "accepted" }] },
      "expectations[0].verdict is",
      '"allowed", "dropped" or "rejected"',
    ],
    [{ checkFiles: ["missing.yaml"] }, 'checkFiles[0] is "missing.yaml"', "a file that can be read"],
    [{ thresholds: [{ quantity: "medianUs", mode: "EbpfDsr", atMost: -1 }] }, "thresholds[0].atMost is -1", "above 0"],
  ]),
  ...component("IpPool", { cidr }, [
    [{ cidr: "10.244.1.0/16" }, 'cidr is "10.244.1.0/16"', "did you mean 10.244.0.0/16?"],
    [{ cidr: "127.0.0.0/16" }, 'cidr is "127.0.0.0/16"', "apart from 127.0.0.0/8"],
    [{ blockSize: "26" }, 'blockSize is "26"', "did you mean 26, without quotes?"],
    [{ vxlanMode: "always" }, 'vxlanMode is "always"', 'did you mean "Always"?'],
    [{ cidr: "fd00:10:244::/56", ipipMode: "Always" }, 'ipipMode is "Always"', "left out, for IPv6"],
    [{ nodeSelector: "zone = a" }, "nodeSelector: column 6", "did you mean ==?"],
    [{ name: "My Pool" }, 'name is "My Pool"', "a Kubernetes object name"],
  ]),
  ...component("IpReservation", {}, [
    [{ name: "R", reservedCIDRs: [cidr] }, 'name is "R"', "a Kubernetes object name"],
    [{ name: "r", reservedCIDRs: ["10.0.0"] }, 'reservedCIDRs[0]: "10.0.0"', "the form 10.244.0.7"],
  ]),
  ...component("NetworkPolicy", { name: "p" }, [
    [{ ingress: [{ peers: [] }] }, 'ingress[0]: unknown key "peers"', 'sources are "from"'],
    [{ podSelector: { app: "nginx" } }, 'podSelector: unknown key "app"', "labels stand in matchLabels"],
    [{ ingress: [{ ports: [{ port: 90, endPort: 80 }] }] }, "ingress[0].ports[0].port is 90", "at most 80"],
    [{ policyTypes: ["ingress"] }, 'policyTypes[0] is "ingress"', 'did you mean "Ingress"?'],
    [{ namespace: "A b" }, 'namespace is "A b"', "lower case letters"],
  ]),
  ...component("CalicoNetworkPolicy", { name: "c" }, [
    [{ ingress: [{ action: "Allow", protocol: "tcp" }] }, "ingress[0].protocol", "did you mean TCP?"],
    [{ namespace: "A b" }, 'namespace is "A b"', "lower case letters"],
  ]),
  ...component("GlobalNetworkPolicy", { name: "g" }, [
    [{ selector: "app = 'db'" }, "selector: column 5", "did you mean ==?"],
    [{ ingress: [{ action: "allow" }] }, 'ingress[0].action is "allow"', 'did you mean "Allow"?'],
  ]),
  ...component("ClusterNetworkPolicy", { name: "n", tier: "Admin", priority: 1, subject: { namespaces: {} } }, [
    [{ tier: "Admins" }, 'tier is "Admins"', 'did you mean "Admin"?'],
    [{ priority: 5000 }, "priority", "numbers from 0 to 1000"],
    [{ name: "N" }, 'name is "N"', "a Kubernetes object name"],
  ]),
  ...component("HostEndpoint", { name: "h", node: "n", interfaceName: "*" }, [
    [{ name: "H" }, 'name: "H" is no name', "lower case letters"],
    [{ expectedIps: [] }, 'unknown key "expectedIps"', 'did you mean "expectedIPs"?'],
  ]),
  ...component("NetworkSet", { name: "s" }, [
    [{ nets: ["10.0.0"] }, 'nets[0]: "10.0.0"', "the form 192.0.2.7"],
    [{ namespace: "S", nets: [] }, 'namespace is "S"', "lower case letters"],
  ]),
  ...PASTED,
  // Settings of a stack.
  ...stack("local", {}, [
    [{ nodes: "0" }, 'ebpf-dataplane:nodes is "0"', "a whole number from 1 to 16"],
    [{ node: "3" }, 'unknown setting "ebpf-dataplane:node"', 'did you mean "ebpf-dataplane:nodes"?'],
    [{ flowLog: "true" }, 'Dataplane "dataplane": flowLog is true', "an object with intervalSeconds"],
    [{ ipFamilies: ["ipv4"] }, 'LocalCluster "cluster": ipFamilies[0] is "ipv4"', 'did you mean "IPv4"?'],
    [{ subnets: subnets("10.1.1.0/25") }, 'LocalCluster "cluster": subnets[1].cidr', "apart from subnets[0]"],
    [{ subnets: subnets("10.1.2.0") }, ":subnets[1].cidr", "with its prefix length"],
  ]),
  ...stack("existing", { apiServerHost: "a", kubeconfig: usersConfig }, [
    [
      { apiServerHost: "https://a" },
      'ExistingCluster "cluster": dataplane.apiServer.host is "https://a"',
      'did you mean "a"?',
    ],
    [
      { kubeconfig: undefined, kubeconfigPath: "/nowhere" },
      'ebpf-dataplane:kubeconfigPath is "/nowhere"',
      "a readable file",
    ],
    [{ mtu: "jumbo" }, 'ebpf-dataplane:mtu is "jumbo"', "a number"],
  ]),
  ...stack("aws", { "aws:region": "eu-central-1" }, [
    [{ adminCidrs: "203.0.113.7/32" }, "ebpf-dataplane:adminCidrs is", "JSON, or YAML"],
    [{}, "Missing required", "pulumi config set ebpf-dataplane:adminCidrs"],
  ]),
  ...stack("eks", {}, [[{ image: "r/a:1" }, 'unknown setting "ebpf-dataplane:image"', "imageRegistry"]]),
  // Files of a project.
  settingsFile("config: [", "Pulumi.dev.yaml", "at line 1, column 10"),
  settingsFile("confg:\n  nodes: 3\n", 'Pulumi.dev.yaml: the document: unknown key "confg"', 'did you mean "config"?'),
  settingsFile("nodes: 3\n", 'Pulumi.dev.yaml: the document: unknown key "nodes"', "allowed: config"),
  settingsFile("config:\n  - nodes: 3\n", "Pulumi.dev.yaml: config is", "an object"),
  settingsFile("config:\n  nodes: { secure: v1:x }\n", "Pulumi.dev.yaml: nodes is encrypted", "--config"),
  settingsFile("config:\n  ebpf-dataplan:nodes: 3\n", 'unknown setting "ebpf-dataplan:nodes"', "did you mean"),
  project({}, "Pulumi.yaml", "no such file"),
  project({ "Pulumi.yaml": "name: app\nruntime: python\n" }, "Pulumi.yaml: runtime", "must be nodejs"),
  project({ "Pulumi.yaml": "runtime: nodejs\n" }, "Pulumi.yaml: name is missing", "a text"),
  project({ "Pulumi.yaml": "name: app\nruntime: nodejs\n" }, 'Pulumi.yaml: main is "index.ts"', "a file"),
];
