// What people write by mistake: nothing of it is accepted, and each of it is refused in a sentence with its place.
import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test } from "vitest";
import * as components from "./index.ts";
import { recordAws } from "./testing/aws.ts";
import { refusalsOf } from "./testing/refusals.ts";

beforeEach(async () => {
  await recordAws();
});

const apiServer = { host: "172.31.1.8", port: 6443 };
const kubeconfig = "apiVersion: v1";
const adminCidrs = ["203.0.113.7/32"];
const clients = [{ name: "client1", address: "172.31.1.55" }];
const proof = { kubeconfig, clients, entryAddress: "172.31.1.8", nodePort: 30604, podLabels: { app: "nginx" } };
const block = { ipBlock: { cidr: "172.31.1.55/32" } };
const machine = (name: string, role: string, address: string) => ({ name, role, address });
const lab = (...others: object[]) => ({ machines: [machine("master", "control-plane", "172.31.1.8"), ...others] });
const ssh = (given: object) => ({ ...proof, ssh: [{ client: "client1", host: "198.51.100.9", ...given }] });

type Component = new (name: string, args: unknown) => object;
const component = (name: string) => Object.entries(components).find(([of]) => of === name)?.[1] as unknown as Component;

const WRONG: [string, unknown, string][] = [
  // NetworkPolicy: each of these admitted more than was meant.
  ["NetworkPolicy", { name: "p", ingress: [{ peers: [block] }] }, 'unknown key "peers"; sources are "from"'],
  ["NetworkPolicy", { name: "p", ingress: [{ to: [block] }] }, 'sources are "from"'],
  ["NetworkPolicy", { name: "p", egress: [{ from: [block] }] }, 'destinations are "to"'],
  ["NetworkPolicy", { name: "p", ingress: [{ from: [block], port: 80 }] }, 'they are "ports": [{ port, protocol }]'],
  ["NetworkPolicy", { name: "p", podSelector: { app: "nginx" } }, "labels stand in matchLabels"],
  ["NetworkPolicy", { name: "p", podSelector: { matchLabels: [] } }, "podSelector.matchLabels is []"],
  ["NetworkPolicy", { name: "p", podSelector: "app=nginx" }, 'podSelector is "app=nginx", but must be an object'],
  ["NetworkPolicy", { name: "p", ingres: [] }, 'unknown key "ingres"; did you mean "ingress"?'],
  ["NetworkPolicy", { name: "p", ingress: [[]] }, "ingress[0] is [], but must be an object with from, ports"],
  ["NetworkPolicy", { name: "p", ingress: [{ ports: [80] }] }, "ingress[0].ports[0] is 80, but must be an object"],
  ["NetworkPolicy", { name: "p", ingress: [{ ports: [{ port: 80, endport: 90 }] }] }, 'did you mean "endPort"?'],
  ["NetworkPolicy", { name: "p", ingress: [{ ports: [{ port: 80.5 }] }] }, "is 80.5, but must be a whole number"],
  ["NetworkPolicy", { name: "p", ingress: [{ ports: [{ port: "8080" }] }] }, "(did you mean 8080, without quotes?)"],
  ["NetworkPolicy", { name: "p", ingress: [{ ports: [{ protocol: "tcp" }] }] }, '(did you mean "TCP"?)'],
  [
    "NetworkPolicy",
    { name: "p", ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["192.168.0.0/16"] } }] }] },
    "must be a part of cidr 10.0.0.0/8",
  ],
  [
    "NetworkPolicy",
    { name: "p", ingress: [{ from: [{ ipBlock: "10.0.0.0/8" }] }] },
    "must be an object with cidr, except",
  ],
  [
    "NetworkPolicy",
    { name: "p", ingress: [{ from: [{ ipBlock: { cidr: "fd00::1/64" } }] }] },
    "did you mean fd00::/64?",
  ],
  ["NetworkPolicy", { name: "p", policyTypes: "Ingress" }, 'policyTypes is "Ingress", but must be a list'],
  ["NetworkPolicy", { name: "p", policyTypes: ["ingress"] }, '(did you mean "Ingress"?)'],
  ["NetworkPolicy", { ingress: [] }, "name is undefined, but must be a text"],
  // IpPool
  ["IpPool", {}, "cidr is undefined, but must be a text"],
  ["IpPool", { cidr: "10.244.0.0" }, "did you mean 10.244.0.0/32?"],
  ["IpPool", { cidr: "10.244.1.0/16" }, "did you mean 10.244.0.0/16?"],
  ["IpPool", { cidr: "fe80::/64" }, "apart from fe80::/10 (link-local)"],
  ["IpPool", { cidr: "::ffff:10.0.0.0/104" }, "an IPv6 network like fd00:10:244::/56"],
  ["IpPool", { cidr: "fd00::/56", blockSize: 26 }, "a whole number from 116 to 128"],
  ["IpPool", { cidr: "127.0.0.0/16" }, "apart from 127.0.0.0/8 (loopback)"],
  ["IpPool", { cidr: "0.0.0.0/0" }, "apart from 0.0.0.0/8"],
  ["IpPool", { cidr: "10.244.0.0/16", blocksize: 26 }, 'did you mean "blockSize"?'],
  ["IpPool", { cidr: "10.244.0.0/16", blockSize: "26" }, "(did you mean 26, without quotes?)"],
  ["IpPool", { cidr: "10.244.0.0/16", vxlanMode: "always" }, '(did you mean "Always"?)'],
  ["IpPool", { cidr: "10.244.0.0/16", natOutgoing: "no" }, 'natOutgoing is "no", but must be true or false'],
  // Dataplane
  ["Dataplane", undefined, "the argument is undefined, but must be an object with apiServer"],
  ["Dataplane", {}, "apiServer is undefined, but must be an object with host, port"],
  ["Dataplane", { apiServer: "https://10.0.0.10:6443" }, "must be an object with host, port"],
  ["Dataplane", { apiServer: { host: "https://10.0.0.10", port: 6443 } }, '(did you mean "10.0.0.10"?)'],
  ["Dataplane", { apiServer: { host: "10.0.0.10:6443", port: 6443 } }, '(did you mean "10.0.0.10"?)'],
  ["Dataplane", { apiServer: { host: "10.0.0.300", port: 6443 } }, "an address or a DNS name"],
  ["Dataplane", { apiServer: { host: "", port: 6443 } }, 'apiServer.host is "", but must be an address'],
  ["Dataplane", { apiServer: { host: "fe80::1", port: 6443 } }, "the address of a machine"],
  [
    "Dataplane",
    {
      apiServer: { host: "fd00:10:96::1", port: 6443 },
      ipPools: [{ cidr: "10.244.0.0/16" }, { cidr: "fd00:10:244::/56" }],
      serviceSubnetIpv6: "fd00:10:96::/112",
    },
    "outside serviceSubnetIpv6 fd00:10:96::/112",
  ],
  ["Dataplane", { apiServer: { host: "0.0.0.0", port: 6443 } }, "the address of a machine"],
  ["Dataplane", { apiServer: { ...apiServer, port: 0 } }, "apiServer.port is 0, but must be a whole number from 1"],
  ["Dataplane", { apiServer: { ...apiServer, port: "6443" } }, "(did you mean 6443, without quotes?)"],
  ["Dataplane", { apiServer: { host: "10.96.0.1", port: 443 } }, "outside serviceSubnet 10.96.0.0/12"],
  ["Dataplane", { apiServer: { host: "10.244.0.1", port: 443 } }, "outside ipPools[0].cidr 10.244.0.0/16"],
  ["Dataplane", { apiServer: { host: "kubernetes.default.svc", port: 443 } }, "and no Service"],
  ["Dataplane", { apiServer, ipPool: [] }, 'unknown key "ipPool"; did you mean "ipPools"?'],
  ["Dataplane", { apiServer, returnmode: "tunnel" }, 'did you mean "returnMode"?'],
  ["Dataplane", { apiServer, returnMode: "DSR" }, '(did you mean "dsr"?)'],
  ["Dataplane", { apiServer, mtu: "1450" }, "(did you mean 1450, without quotes?)"],
  ["Dataplane", { apiServer, imageRegistry: "https://r.example/x" }, '(did you mean "r.example/x"?)'],
  ["Dataplane", { apiServer, imageRegistry: "r.example/x/" }, '(did you mean "r.example/x"?)'],
  ["Dataplane", { apiServer, imageRegistry: "r.example/x:0.1.0" }, '(did you mean "r.example/x"?)'],
  ["Dataplane", { apiServer, imageRegistry: "" }, 'imageRegistry is "", but must be a registry'],
  ["Dataplane", { apiServer, image: "https://r.example/x:1" }, '(did you mean "r.example/x:1"?)'],
  ["Dataplane", { apiServer, image: "" }, 'image is "", but must be the name of an image'],
  ["Dataplane", { apiServer, uplinks: ["eth.*"] }, "no pattern"],
  ["Dataplane", { apiServer, uplinks: [] }, "without any no packet is looked at"],
  ["Dataplane", { apiServer, uplinks: "eth0" }, 'uplinks is "eth0", but must be a list'],
  ["Dataplane", { apiServer, serviceSubnet: "10.0.0.0/8" }, "a network from /12 to /24"],
  ["Dataplane", { apiServer, networkPolicies: {} }, "networkPolicies is {}, but must be a list"],
  // ExistingCluster, KubeProxyRemoval
  ["ExistingCluster", { kubeconfig: "~/.kube/config", dataplane: { apiServer } }, "the content of a kubeconfig"],
  ["ExistingCluster", { kubeconfig }, "dataplane is undefined, but must be an object"],
  ["ExistingCluster", { kubeconfig, dataplane: { apiServer, ipPool: [] } }, 'dataplane: unknown key "ipPool"'],
  [
    "ExistingCluster",
    { kubeconfig, dataplane: { apiServer }, clusterId: "prod" },
    "the UID of the cluster's namespace",
  ],
  ["KubeProxyRemoval", { kubeconfig, clusterID: "x" }, 'did you mean "clusterId"?'],
  ["KubeProxyRemoval", { kubeconfig, clusterId: "prod" }, "the UID of the cluster's namespace"],
  // LocalCluster
  ["LocalCluster", { name: "My-Lab" }, "at most 12 lower case letters and digits"],
  ["LocalCluster", lab(machine("node", "worker", "10.1.1.8")), "from 172.31.1.2 to 172.31.1.254"],
  ["LocalCluster", lab(machine("node", "worker", "172.31.1.1")), "from 172.31.1.2 to 172.31.1.254"],
  ["LocalCluster", lab(machine("node", "Worker", "172.31.1.9")), '(did you mean "worker"?)'],
  ["LocalCluster", lab(machine("switch", "worker", "172.31.1.9")), "which is the lab's own"],
  ["LocalCluster", { kubeProxyImage: true }, 'is "loadKubeProxyImage"'],
  ["LocalCluster", { podSubnet: "172.31.0.0/16" }, "apart from the machines' network 172.31.1.0/24"],
  ["LocalCluster", { kubernetesVersion: "1.35.0" }, 'a release like "v1.35.0"'],
  // AwsCluster, ClientMachines
  ["AwsCluster", {}, "adminCidrs is undefined, but must be a list"],
  ["AwsCluster", { adminCidrs: "203.0.113.7/32" }, "must be a list"],
  ["AwsCluster", { adminCidrs, vpcId: "my-vpc", subnets: [] }, "at least one subnet"],
  ["AwsCluster", { adminCidrs, imageId: "debian-13" }, 'an id like "ami-0123456789abcdef0"'],
  ["AwsCluster", { adminCidrs, openToWorld: ["ssh-port"] }, 'must be "ssh", "api-server" or "node-ports"'],
  [
    "AwsCluster",
    { adminCidrs, ssh: { publicKey: "ssh-ed25519 A", cidrs: [] } },
    "at least one network from which port 22",
  ],
  ["ClientMachines", { machines: [], subnets: [] }, "securityGroupIds is undefined, but must be a list"],
  // SourceIpVerification
  ["SourceIpVerification", { ...proof, clients: [] }, "at least one machine outside the cluster"],
  ["SourceIpVerification", { ...proof, droppedClients: ["nobody"] }, "the name of a client: client1"],
  ["SourceIpVerification", { ...proof, droppedClient: ["client1"] }, 'did you mean "droppedClients"?'],
  ["SourceIpVerification", { ...proof, nodePort: "30604" }, "(did you mean 30604, without quotes?)"],
  ["SourceIpVerification", { ...proof, entryAddress: "http://172.31.1.8" }, "an IPv4 address like 172.31.1.8"],
  ["SourceIpVerification", { ...proof, podLabels: { app: "a b" } }, "podLabels.app is"],
  ["SourceIpVerification", { ...proof, labName: "x; rm -rf /" }, "labName is"],
  ["SourceIpVerification", { ...proof, outputFolder: "--help" }, "outputFolder is"],
  ["SourceIpVerification", { ...proof, checkFiles: ["missing.yaml"] }, "a file that can be read (ENOENT)"],
  [
    "SourceIpVerification",
    { ...proof, expectations: [{ from: "client1", to: "tcp://a:0", verdict: "allowed" }] },
    "with a port",
  ],
  ["SourceIpVerification", { ...proof, sshPrivateKey: "~/.ssh/id_ed25519" }, "the content of a private key"],
  ["SourceIpVerification", ssh({ host: "-oProxyCommand=x" }), "an address or a DNS name"],
  ["SourceIpVerification", ssh({ user: "-l root" }), "the name of a user"],
  ["SourceIpVerification", ssh({ port: 0 }), "ssh[0].port is 0"],
];

test.each(WRONG)("%s refuses %j: %s", (name, args, sentence) => {
  const Class = component(name);
  let refusal: unknown;
  try {
    new Class("c", args);
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toBeInstanceOf(pulumi.RunError);
  expect((refusal as Error).message).toContain(`${name} "c": `);
  expect((refusal as Error).message).toContain(sentence);
});

test("nothing of a credential is repeated", () => {
  const secret = "LS0tLS1CRUdJTiBTRUNSRVQ";
  for (const args of [
    { kubeconfig: secret },
    { kubeconfig: { data: secret.repeat(9) } },
    { ...proof, sshPrivateKey: secret },
  ]) {
    const attempt = () => new components.SourceIpVerification("c", { ...proof, ...args } as never);
    expect(attempt).toThrow(pulumi.RunError);
    expect(attempt).not.toThrow(secret);
  }
});

/** What is wrong with a value that another resource yields is said when it is known. */
test.each<[string, object, string]>([
  ["Dataplane", { apiServer: pulumi.output({ host: "https://a.example", port: 443 }) }, '(did you mean "a.example"?)'],
  ["Dataplane", { apiServer: { host: pulumi.output("10.96.0.1"), port: 443 } }, "outside serviceSubnet 10.96.0.0/12"],
  ["Dataplane", { apiServer, serviceSubnet: pulumi.output("10.244.0.0/20") }, "apart from serviceSubnet 10.244.0.0/20"],
  ["Dataplane", { apiServer, imageRegistry: pulumi.output("https://r.example") }, '(did you mean "r.example"?)'],
  ["Dataplane", { apiServer, mtu: pulumi.output(100) }, "mtu is 100, but must be a whole number from 1280 to 65535"],
  ["Dataplane", { apiServer, uplinks: ["eth0", pulumi.output("eth.*")] }, 'uplinks[1] is "eth.*"'],
  ["Dataplane", { apiServer, uplinks: pulumi.output([]) }, "at least one interface"],
  ["Dataplane", { apiServer, externalIPNetworks: [pulumi.output("10.0.0.1/8")] }, "did you mean 10.0.0.0/8?"],
  [
    "Dataplane",
    { apiServer, ipPools: [{ cidr: "10.244.0.0/24", blockSize: pulumi.output(20) }] },
    "ipPools[0].blockSize",
  ],
  ["ExistingCluster", { kubeconfig, dataplane: { apiServer, mtu: pulumi.output(1) } }, "dataplane.mtu is 1"],
  ["ExistingCluster", { kubeconfig, dataplane: { apiServer }, clusterId: pulumi.output("prod") }, "the UID of"],
  ["NetworkPolicy", { name: "p", ingress: [{ ports: [{ port: 90, endPort: pulumi.output(80) }] }] }, "at most 80"],
  ["LocalCluster", { podSubnet: pulumi.output("10.96.0.0/16") }, 'podSubnet is "10.96.0.0/16", but must be apart from'],
  ["LocalCluster", { serviceSubnet: pulumi.output("10.0.0.0/8") }, "a network from /12 to /24"],
  ["AwsCluster", { adminCidrs: [pulumi.output("203.0.113.7")] }, "adminCidrs[0] is"],
  ["AwsCluster", { adminCidrs: [pulumi.output("0.0.0.0/0")] }, 'or say openToWorld: ["api-server"]'],
  ["AwsCluster", { adminCidrs, nodePortCidrs: [pulumi.output("0.0.0.0/1")] }, 'or say openToWorld: ["node-ports"]'],
  [
    "AwsCluster",
    { adminCidrs, ssh: { publicKey: "ssh-ed25519 A", cidrs: [pulumi.output("0.0.0.0/0")] } },
    'or say openToWorld: ["ssh"]',
  ],
  ["AwsCluster", { adminCidrs, podSubnet: pulumi.output("172.31.0.0/20") }, "apart from podSubnet 172.31.0.0/20"],
  ["AwsCluster", { adminCidrs, vpcCidr: pulumi.output("172.16.0.0/16") }, "inside vpcCidr 172.16.0.0/16"],
  ["AwsCluster", { adminCidrs, subnets: [{ cidr: "172.31.1.0/24", zone: pulumi.output("europe") }] }, "zone is"],
  ["AwsCluster", { adminCidrs, diskSize: pulumi.output(4) }, "diskSize is 4"],
  ["IpPool", { cidr: pulumi.output("10.244.0.0") }, "did you mean 10.244.0.0/32?"],
  ["NetworkPolicy", { name: "p", podSelector: pulumi.output({ app: "nginx" }) }, "labels stand in matchLabels"],
  [
    "SourceIpVerification",
    { ...proof, nodePort: pulumi.output(80) },
    "nodePort is 80, but must be a whole number from 30000",
  ],
  ["SourceIpVerification", { ...proof, namespace: pulumi.output("A") }, 'namespace is "A"'],
  ["SourceIpVerification", { ...proof, podLabels: pulumi.output({}) }, "labels that select the service's pods"],
  ["SourceIpVerification", { ...proof, podLabels: { app: pulumi.output("a b") } }, "podLabels.app is"],
  ["SourceIpVerification", { ...proof, droppedClients: [pulumi.output("nobody")] }, 'droppedClients[0] is "nobody"'],
  [
    "SourceIpVerification",
    { ...proof, targets: [{ service: "nginx", port: 80, from: [pulumi.output("nginx")] }] },
    "targets[0].from[0] is",
  ],
  [
    "SourceIpVerification",
    { ...proof, expectations: [{ from: "client1", to: pulumi.output("tcp://a:0"), verdict: "allowed" }] },
    "expectations[0].to is",
  ],
  ["SourceIpVerification", { ...proof, clients: pulumi.output([]) }, "at least one machine outside the cluster"],
  ["SourceIpVerification", { ...proof, kubeconfig: pulumi.secret("~/.kube/config") }, "the content of a kubeconfig"],
])("%s looks at %j as soon as it is known", async (name, args, sentence) => {
  const Class = component(name);
  expect(await refusalsOf(() => new Class("c", args))).toContain(sentence);
});
