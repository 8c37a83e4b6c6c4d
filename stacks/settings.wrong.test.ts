// What a user reads who gets a setting of a stack wrong: nothing is accepted, and nothing ends with a stack trace. Arguments of components are in
// components/index.test.ts and components/arguments, policies in test/wrong-policies, files of expectations in verify/format, and some of each through the preview in test/wrong-inputs.
import * as pulumi from "@pulumi/pulumi";
import { beforeAll, expect, test } from "vitest";

type Settings = Record<string, string>;
/** A stack and its settings, and what the message says: the object with the field and what stands there, then what is allowed. */
type Wrong = [stack: string, settings: Settings, place: string, allowed: string];

const existing = { apiServerHost: "203.0.113.7", kubeconfig: "apiVersion: v1\nkind: Config\nclusters: []\n" };
const aws = { "aws:region": "eu-central-1", adminCidrs: '["203.0.113.7/32"]', image: "r.example/a:1" };
const eks = { adminCidrs: '["203.0.113.7/32"]', imageRegistry: "r.example", subnetIds: '["subnet-1"]' };
const cluster = 'LocalCluster "cluster": ';
const dataplane = 'Dataplane "dataplane": ';
const there = 'ExistingCluster "cluster": dataplane.';
const proof = 'SourceIpVerification "source-ip": ';
const cloud = 'AwsCluster "cluster": ';
const setting = (key: string) => `: ebpf-dataplane:${key} is`;
const subnets = (second: object) => JSON.stringify([{ name: "a", cidr: "10.1.1.0/24" }, second]);

const WRONG: Wrong[] = [
  ["local", { nodes: "0" }, setting("nodes"), "a whole number from 1 to 16"],
  ["local", { clients: "none" }, setting("clients"), "a whole number from 1 to 16"],
  ["local", { node: "3" }, 'unknown setting "ebpf-dataplane:node"', 'did you mean "ebpf-dataplane:nodes"?'],
  ["local", { router: "maybe" }, setting("router"), "true or false"],
  ["local", { ipFamilies: "IPv4" }, setting("ipFamilies"), "a list"],
  ["local", { ipFamilies: '"IPv4"' }, setting("ipFamilies"), "a list"],
  ["local", { ipFamilies: "{}" }, setting("ipFamilies"), "a list"],
  ["local", { ipFamilies: '["ipv4"]' }, `${cluster}ipFamilies[0] is "ipv4"`, 'did you mean "IPv4"?'],
  ["local", { ipFamilies: "[]" }, `${cluster}ipFamilies is []`, '"IPv4", "IPv6" or both'],
  ["local", { ipFamilies: '["IPv4","IPv4"]' }, `${cluster}ipFamilies is`, "each once"],
  ["local", { returnMode: "DSR" }, `${dataplane}returnMode is "DSR"`, 'did you mean "dsr"?'],
  ["local", { returnMode: "" }, `${dataplane}returnMode is ""`, '"dsr" or "tunnel"'],
  ["local", { serviceHandling: "ebpf" }, `${dataplane}serviceHandling is "ebpf"`, 'did you mean "Ebpf"?'],
  ["local", { ipam: "Hostlocal" }, `${dataplane}ipam is "Hostlocal"`, 'did you mean "HostLocal"?'],
  ["local", { flowLog: "true" }, `${dataplane}flowLog is true`, "an object with intervalSeconds"],
  ["local", { flowLog: "{intervalSeconds: 60}" }, setting("flowLog"), "JSON"],
  ["local", { flowLog: '{"interval":60}' }, `${dataplane}flowLog: unknown key "interval"`, "allowed: intervalSeconds"],
  [
    "local",
    { flowLogsLocalReporter: "true" },
    `${dataplane}flowLogsLocalReporter is "true"`,
    '"Enabled" or "Disabled"',
  ],
  [
    "existing",
    { ...existing, flowLog: "{}", flowLogsLocalReporter: "Disabled" },
    `${there}flowLogsLocalReporter is "Disabled"`,
    "with flowLog agents keep the latest flows",
  ],
  ["local", { serviceMetrics: "[]" }, `${dataplane}serviceMetrics is []`, "an object with namespaces"],
  ["local", { lab: "My-Lab" }, `${cluster}name is "My-Lab"`, "at most 12 lower case letters and digits"],
  ["local", { kubernetesVersion: "1.35.0" }, `${cluster}kubernetesVersion is "1.35.0"`, 'a release like "v1.35.0"'],
  ["local", { latency: "1000" }, `${proof}latency is 1000`, "an object with connections"],
  ["local", { latency: '{"connections":"many"}' }, `${proof}latency.connections is "many"`, "a number"],
  ["local", { comparisonModes: '["Ebpf"]' }, `${proof}comparisonModes[0] is "Ebpf"`, '"EbpfDsr" or "Direct"'],
  ["local", { comparisonModes: "EbpfDsr" }, setting("comparisonModes"), "a list"],
  ["local", { thresholds: "{}" }, setting("thresholds"), "a list"],
  ["local", { thresholds: '[{"quantity":"medianUs"}]' }, `${proof}thresholds[0].atMost is undefined`, "a number"],
  ["local", { subnets: "[{" }, setting("subnets"), "a list"],
  ["local", { subnets: "[1,2]" }, ": ebpf-dataplane:subnets[0].cidr is undefined", "a network in quotes"],
  ["local", { subnets: subnets({ cidr: "10.1.2.0/24" }) }, `${cluster}subnets[1].name is undefined`, "a text"],
  [
    "local",
    { subnets: subnets({ name: "b", cidr: "10.1.1.0/25" }) },
    `${cluster}subnets[1].cidr is`,
    "apart from subnets[0]",
  ],
  [
    "local",
    { subnets: subnets({ name: "b", cidr: "10.244.1.0/24" }) },
    `${cluster}podSubnet is`,
    "the network of subnets[1]",
  ],
  [
    "local",
    { subnets: subnets({ name: "b", cidr: "10.1.2.0/24", mtu: 1400 }) },
    'subnets[1]: unknown key "mtu"',
    "link",
  ],
  [
    "local",
    { subnets: subnets({ name: "b", cidr: "10.1.2.0/24", link: { mtu: 9 } }) },
    "subnets[1].link.mtu is 9",
    "from 1280",
  ],
  [
    "local",
    { subnets: subnets({ name: "b", cidr: "10.1.2.0/29" }), nodes: "16" },
    ":subnets[1].cidr is",
    "larger: 9 machines",
  ],
  ["local", { vxlanMode: "always" }, `${dataplane}ipPools[0].vxlanMode is "always"`, 'did you mean "Always"?'],
  ["local", { loadBalancerPools: "172.31.1.240/28" }, setting("loadBalancerPools"), "a list"],
  ["local", { loadBalancerPools: '["10.96.1.0/28"]' }, `${dataplane}ipPools[2].cidr is`, "apart from serviceSubnet"],
  [
    "local",
    { ipipMode: "Always", vxlanMode: "Always" },
    `${dataplane}ipPools[0].ipipMode is`,
    "beside vxlanMode Always",
  ],
  ["existing", { kubeconfig: existing.kubeconfig }, "ebpf-dataplane:apiServerHost", "Missing required"],
  ["existing", { ...existing, apiServerPort: "https" }, setting("apiServerPort"), "a number"],
  ["existing", { ...existing, apiServerPort: "0" }, `${there}apiServer.port is 0`, "from 1 to 65535"],
  ["existing", { ...existing, apiServerHost: "https://a" }, `${there}apiServer.host is`, 'did you mean "a"?'],
  ["existing", { apiServerHost: "a", kubeconfigPath: "/nowhere" }, 'kubeconfigPath is "/nowhere"', "a readable file"],
  ["existing", { apiServerHost: "a", kubeconfigPath: "/" }, 'kubeconfigPath is "/"', "a readable file"],
  ["existing", { ...existing, mtu: "1000" }, `${there}mtu is 1000`, "from 1280 to 65535"],
  ["existing", { ...existing, mtu: "jumbo" }, setting("mtu"), "a number"],
  ["existing", { ...existing, podSubnet: "10.244.0.0" }, `${there}ipPools[0].cidr is`, "with its prefix length"],
  ["existing", { ...existing, podSubnet: "10.96.0.0/16" }, `${there}ipPools[0].cidr is`, "apart from serviceSubnet"],
  ["existing", { ...existing, serviceSubnet: "10.96.0.0/33" }, `${there}serviceSubnet is`, "an IPv4 network"],
  ["existing", { ...existing, clusterId: "prod" }, 'clusterId is "prod"', "the UID of the cluster's namespace"],
  ["existing", { ...existing, existingKubeProxy: "keep" }, 'existingKubeProxy is "keep"', '"refuse" or "remove"'],
  ["existing", { ...existing, otherNetworkPlugin: "yes" }, 'otherNetworkPlugin is "yes"', '"refuse" or "accept"'],
  ["existing", { ...existing, image: "http://r/x" }, `${there}image is`, 'did you mean "r/x"?'],
  ["existing", { ...existing, imageRegistry: "https://r/x" }, `${there}imageRegistry is`, "without scheme and tag"],
  ["existing", { ...existing, image: "r/a:1", imageRegistry: "r" }, `${there}imageRegistry is`, "must be left out"],
  ["existing", { ...existing, kubeProxyImage: "a b" }, `${there}kubeProxyImage is "a b"`, "the name of an image"],
  ["existing", { ...existing, verification: "true" }, setting("verification"), "an object"],
  ["existing", { ...existing, verification: '{"nodePort":80}' }, `${proof}clients is undefined`, "a list"],
  ["aws", { ...aws, adminCidrs: "203.0.113.7/32" }, setting("adminCidrs"), "JSON"],
  ["aws", { ...aws, adminCidrs: '"203.0.113.7/32"' }, `${cloud}adminCidrs is`, "a list"],
  [
    "aws",
    { ...aws, adminCidrs: '["0.0.0.0/0"]' },
    "the API server is open to 0.0.0.0/0",
    'openToWorld: ["api-server"]',
  ],
  ["aws", { ...aws, adminCidrs: "[]" }, `${cloud}adminCidrs is []`, "at least one network"],
  ["aws", { ...aws, podRouting: "Cloud" }, `${cloud}podRouting is "Cloud"`, '"Nodes" or "CloudRoutes"'],
  ["aws", { ...aws, sourceDestCheck: "off" }, setting("sourceDestCheck"), "true or false"],
  ["aws", { ...aws, sshPublicKey: "id_rsa" }, `${cloud}ssh.publicKey is`, "an OpenSSH public key"],
  ["aws", { ...aws, ipFamilies: '"IPv6"' }, setting("ipFamilies"), "a list"],
  ["aws", { ...aws, kubernetesVersion: "v2" }, `${cloud}kubernetesVersion is "v2"`, 'a release like "v1.35.0"'],
  ["aws", { ...aws, image: "" }, `${dataplane}image is ""`, "the name of an image"],
  ["eks", { ...eks, subnetIds: "subnet-1" }, setting("subnetIds"), "JSON"],
  ["eks", { ...eks, imageRegistry: "https://r" }, `${dataplane}imageRegistry is`, "without scheme and tag"],
  ["eks", { ...eks, image: "r/a:1" }, 'unknown setting "ebpf-dataplane:image"', "imageRegistry"],
];

// Resources that were declared before a refusal never come to be: what depends on them would fail much later, in another test.
beforeAll(() => {
  const never = () => new Promise<never>(() => {});
  return pulumi.runtime.setMocks({ newResource: never, call: never }, "ebpf-dataplane", "test", true);
});

/** Runs a stack's program in a preview, a query makes it a module of its own. */
async function refusal(stack: string, settings: Settings, turn: number): Promise<unknown> {
  const named = Object.entries(settings).map(([key, value]) => [
    key.includes(":") ? key : `ebpf-dataplane:${key}`,
    value,
  ]);
  pulumi.runtime.setAllConfig(Object.fromEntries(named));
  try {
    await import(/* @vite-ignore */ `${new URL(`${stack}.ts`, import.meta.url).pathname}?turn=${turn}`);
  } catch (error) {
    return error;
  }
  return "accepted";
}

test("there are more than fifty", () => expect(WRONG.length).toBeGreaterThan(50));

test.each(WRONG.map((wrong, turn) => [...wrong, turn] as const))(
  "stack %s refuses %j",
  async (stack, settings, place, allowed, turn) => {
    const refused = await refusal(stack, settings, turn);
    // What the runner and the CLI print as a message, without a stack trace.
    expect(refused).toBeInstanceOf(pulumi.RunError);
    const { message } = refused as Error;
    expect(message).toContain(place);
    expect(message).toContain(allowed);
    expect(message).not.toMatch(/\n\s+at /);
  },
);
