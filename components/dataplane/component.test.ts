import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { ipPool } from "../../model/objects/calico.ts";
import { AssignmentMode, IpipMode, IpPoolUse, VxlanMode } from "../ip-pool/args.ts";
import { Protocol } from "../network-policy/args.ts";
import { packageVersion } from "../program/agent-image.ts";
import { recordResources, resolved, settled } from "../testing/program.ts";
import {
  type DataplaneArgs,
  EndpointToHostAction,
  ExternalIPs,
  LogLevel,
  MetricsAddress,
  ReturnMode,
  ServiceHandling,
  SocketTranslation,
} from "./args.ts";
import { Dataplane } from "./component.ts";
import { DEFINITION_LABELS } from "./definition-owner.ts";
import { Encryption } from "./encryption-args.ts";
import { FlowLogsLocalReporter } from "./flow-log-args.ts";
import { Xdp } from "./uplinks.ts";

const version = packageVersion();
const apiServer = { host: "172.31.1.8", port: 6443 };

async function resourcesOf(args: Partial<DataplaneArgs>) {
  const resources = await recordResources();
  new Dataplane("dp", { apiServer, ...args });
  await settled();
  return (kind: string) => {
    const found = resources.filter(({ type }) => type.startsWith("kubernetes:") && type.endsWith(`:${kind}`));
    return found.map(({ inputs }) => JSON.parse(JSON.stringify(inputs)));
  };
}

test.each([
  [undefined, "DSR"],
  [ReturnMode.Dsr, "DSR"],
  [ReturnMode.Tunnel, "Tunnel"],
])("Dataplane declares return mode %s as %s, for agents to follow without a restart", async (returnMode, mode) => {
  const of = await resourcesOf({ returnMode });
  expect(of("FelixConfiguration")[0]).toMatchObject({
    apiVersion: "projectcalico.org/v3",
    metadata: { name: "default" },
    spec: { bpfExternalServiceMode: mode },
  });
  expect(JSON.stringify(of("DaemonSet"))).not.toMatch(/dsr|tunnel/i);
});

test.each([ServiceHandling.KubeProxyIptables, ServiceHandling.KubeProxyNftables])(
  "Dataplane runs kube-proxy beside the agents for %s, and tells them",
  async (serviceHandling) => {
    const of = await resourcesOf({ serviceHandling, kubeProxyImage: "registry.example/kube-proxy:1" });
    const [proxy] = of("DaemonSet").filter(({ metadata }) => metadata.name === "kube-proxy");
    expect(proxy.spec.template.spec.containers[0].image).toBe("registry.example/kube-proxy:1");
    expect(proxy.metadata.namespace).toBe("ebpf-dataplane");
    const { annotations } = of("FelixConfiguration")[0].metadata;
    expect(annotations).toEqual({ "ebpf-dataplane.io/service-handling": serviceHandling });
    // Everything that belongs to kube-proxy goes with it.
    const without = await resourcesOf({});
    expect(JSON.stringify(["DaemonSet", "ConfigMap", "ServiceAccount"].map(without))).not.toContain("kube-proxy");
    const agents = (some: typeof of) => some("DaemonSet").filter(({ metadata }) => metadata.name === "ebpf-dataplane");
    expect(agents(of)).toEqual(agents(without));
  },
);

test("Dataplane tells agents to leave pods' sockets alone and to use XDP, without another DaemonSet", async () => {
  const of = await resourcesOf({ socketTranslation: SocketTranslation.HostOnly, xdp: Xdp.Native });
  const { annotations } = of("FelixConfiguration")[0].metadata;
  expect(annotations).toMatchObject({
    "ebpf-dataplane.io/socket-translation": "HostOnly",
    "ebpf-dataplane.io/xdp": "Native",
  });
  expect(of("DaemonSet")).toEqual((await resourcesOf({}))("DaemonSet"));
});

test("Dataplane gives agents the API server's own address, their image's content and their settings", async () => {
  const of = await resourcesOf({
    image: "registry.example/agent:1",
    imageDigest: "sha256:1",
    mtu: 9001,
    logLevel: LogLevel.Debug,
  });
  const template = of("DaemonSet")[0]?.spec.template;
  const container = template.spec.containers[0];
  expect(template.metadata.annotations["ebpf-dataplane.io/image-digest"]).toBe("sha256:1");
  expect(container.image).toBe("registry.example/agent:1");
  expect(container.env).toContainEqual({ name: "KUBERNETES_SERVICE_HOST", value: "172.31.1.8" });
  expect(container.env).toContainEqual({ name: "KUBERNETES_SERVICE_PORT", value: "6443" });
  const settings = JSON.parse(of("ConfigMap")[0]?.data["settings.json"]);
  expect(settings).toEqual({ logLevel: "debug", serviceSubnet: "10.96.0.0/12", mtu: 9001 });
});

test("Dataplane replaces agents when their settings change", async () => {
  const annotation = async (args: Partial<DataplaneArgs>) =>
    (await resourcesOf(args))("DaemonSet")[0]?.spec.template.metadata.annotations["ebpf-dataplane.io/settings-digest"];
  expect(await annotation({})).toBe(await annotation({ returnMode: ReturnMode.Tunnel }));
  expect(await annotation({})).not.toBe(await annotation({ logLevel: LogLevel.Warn }));
});

test("Dataplane of a dual-stack cluster has a pool of each address family, and its agents know both Service networks", async () => {
  const of = await resourcesOf({ serviceSubnetIpv6: "fd00:10:96::/112" });
  const pools = of("IPPool").map(({ metadata, spec }) => ({ name: metadata.name, ...spec }));
  expect(pools).toMatchObject([
    { name: "default-ipv4-ippool", cidr: "10.244.0.0/16", blockSize: 26, natOutgoing: true },
    { name: "default-ipv6-ippool", cidr: "fd00:10:244::/56", blockSize: 122, natOutgoing: false },
  ]);
  const settings = JSON.parse(of("ConfigMap")[0]?.data["settings.json"]);
  expect(settings).toMatchObject({ serviceSubnet: "10.96.0.0/12", serviceSubnetIpv6: "fd00:10:96::/112" });
});

test("Dataplane gives a pool whose network is known later the values of its address family", async () => {
  const pool = { name: "later", cidr: pulumi.output("fd00:10:244::/56") };
  const of = await resourcesOf({ ipPools: [{ cidr: "10.244.0.0/16" }, pool], serviceSubnetIpv6: "fd00:10:96::/112" });
  expect(of("IPPool")[1]?.spec).toMatchObject({ cidr: "fd00:10:244::/56", blockSize: 122, natOutgoing: false });
});

test("Dataplane turns typed pools and policies into the objects people know", async () => {
  const ipip = { name: "ipip", cidr: "10.11.0.0/16", ipipMode: IpipMode.CrossSubnet };
  const of = await resourcesOf({
    ipPools: [
      { name: "pods", cidr: "10.10.0.0/16", vxlanMode: VxlanMode.Always, natOutgoing: false, blockSize: 28 },
      ipip,
    ],
    networkPolicies: [
      {
        name: "nginx",
        podSelector: { matchLabels: { app: "nginx" } },
        ingress: [{ from: [{ ipBlock: { cidr: "172.31.1.55/32" } }], ports: [{ port: 80 }] }],
      },
    ],
  });
  const pool = (name: string) => of("IPPool").find(({ metadata }) => metadata.name === name);
  expect(pool("pods")).toMatchObject({
    metadata: { name: "pods" },
    spec: { cidr: "10.10.0.0/16", blockSize: 28, vxlanMode: "Always", natOutgoing: false, disabled: false },
  });
  expect(pool("ipip")?.spec).toMatchObject({ vxlanMode: "Never", ipipMode: "CrossSubnet" });
  expect(of("NetworkPolicy")[0]).toMatchObject({
    metadata: { name: "nginx", namespace: "default" },
    spec: {
      podSelector: { matchLabels: { app: "nginx" } },
      policyTypes: ["Ingress"],
      ingress: [{ from: [{ ipBlock: { cidr: "172.31.1.55/32" } }], ports: [{ protocol: "TCP", port: 80 }] }],
    },
  });
});

test("Dataplane says what it declared", async () => {
  await recordResources();
  const lb = { name: "lb", cidr: "192.0.2.0/28", allowedUses: [IpPoolUse.LoadBalancer] };
  const { image, podCidrs, metricsPort, ipPoolNames, policies } = new Dataplane("dp", {
    apiServer,
    image: "agent:1",
    loadBalancer: true,
    ipPools: [{ name: "pods", cidr: pulumi.output("10.10.0.0/16") }, lb],
    networkPolicies: [{ name: "web" }],
    globalNetworkPolicies: [{ name: "all" }],
  });
  const told = await resolved(pulumi.output({ image, podCidrs, metricsPort, ipPoolNames, policies }));
  await settled();
  expect(told).toEqual({
    image: "agent:1",
    podCidrs: ["10.10.0.0/16"],
    metricsPort: 9098,
    ipPoolNames: ["pods", "lb"],
    policies: [
      { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", namespace: "default", name: "web" },
      { apiVersion: "projectcalico.org/v3", kind: "GlobalNetworkPolicy", name: "all" },
    ],
  });
});

test("Dataplane grants the agent no write access but to its own kinds and events", async () => {
  const rules = (await resourcesOf({}))("ClusterRole")[0]?.rules as { resources: string[]; verbs: string[] }[];
  const written = rules.filter(({ verbs }) => verbs.some((verb) => !["get", "list", "watch"].includes(verb)));
  expect(written.flatMap(({ resources }) => resources).sort()).toEqual(["events", "ipamblocks"]);
});

test.each([
  [undefined, `ebpf-dataplane:${version}`],
  ["registry.example/team", `registry.example/team/ebpf-dataplane:${version}`],
])("Dataplane's image is the one of this package's version, in the registry %j", async (imageRegistry, image) => {
  const resources = await recordResources();
  new Dataplane("dp", { apiServer, imageRegistry });
  await settled();
  const daemonSet = resources.find(({ name }) => name === "dp-daemonset");
  expect(daemonSet?.inputs).toMatchObject({ spec: { template: { spec: { containers: [{ image }] } } } });
});

test("Dataplane keeps an agent's token to the IPAMBlocks of its own node", async () => {
  const of = await resourcesOf({});
  const named = (kind: string, name: string) => of(kind).find(({ metadata }) => metadata.name === name);
  const policy = named("ValidatingAdmissionPolicy", "ebpf-dataplane");
  const deletions = named("ValidatingAdmissionPolicy", "ebpf-dataplane-deletions");
  const binding = named("ValidatingAdmissionPolicyBinding", "ebpf-dataplane");
  const [account] = of("ServiceAccount");
  expect(binding.spec).toMatchObject({ policyName: policy.metadata.name, validationActions: ["Deny"] });
  expect(policy.spec.failurePolicy).toBe("Fail");
  expect(policy.spec.matchConditions[0].expression).toContain(
    `'system:serviceaccount:${account.metadata.namespace}:${account.metadata.name}'`,
  );
  expect(policy.spec.matchConstraints.resourceRules[0].operations).toEqual(["CREATE", "UPDATE"]);
  expect(deletions.spec.matchConstraints.resourceRules[0].operations).toEqual(["DELETE"]);
});

test.each(Object.values(ServiceHandling))(
  "no container that Dataplane makes for %s has more rights than are listed",
  async (serviceHandling) => {
    const daemonSets = (await resourcesOf({ serviceHandling }))("DaemonSet");
    expect(daemonSets.length).toBe(serviceHandling === ServiceHandling.Ebpf ? 1 : 2);
    const specs = daemonSets.map(({ spec }) => spec.template.spec);
    expect(specs.filter(({ hostPID, hostIPC }) => hostPID || hostIPC)).toEqual([]);
    for (const container of specs.flatMap(({ initContainers = [], containers }) => [
      ...initContainers,
      ...containers,
    ])) {
      expect(container.securityContext).toMatchObject({
        privileged: false,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
        seccompProfile: { type: "RuntimeDefault" },
      });
      const listed = container.name === "agent" ? AGENT_CAPABILITIES : ["NET_ADMIN", "NET_RAW"];
      expect(container.securityContext.capabilities.add).toEqual(listed);
      expect(container.resources).toMatchObject({
        requests: { cpu: expect.stringMatching(/m$/), memory: expect.stringMatching(/Mi$/) },
        limits: { memory: expect.stringMatching(/[MG]i$/) },
      });
    }
  },
);

/** A longer list is a decision. */
const AGENT_CAPABILITIES = ["BPF", "PERFMON", "NET_ADMIN", "NET_BIND_SERVICE", "SYS_ADMIN", "DAC_OVERRIDE"];

test("the agent can write the node's files that it has to write, and no others", async () => {
  const [container] = (await resourcesOf({}))("DaemonSet")[0].spec.template.spec.containers;
  const written = container.volumeMounts.filter(({ readOnly }: { readOnly?: boolean }) => !readOnly);
  expect(written.map(({ mountPath }: { mountPath: string }) => mountPath)).toEqual([
    "/sys/fs/bpf",
    "/run/ebpf-dataplane",
    "/var/log/ebpf-dataplane",
    "/host/proc/sys/net",
    "/host/etc/cni/net.d",
    "/host/opt/cni/bin",
  ]);
});

test("definitions under names that Calico uses are marked, and stay when the deployment is destroyed", async () => {
  const resources = await recordResources();
  const retained: Record<string, boolean | undefined> = {};
  const look: pulumi.ResourceTransformation = ({ name, opts }) => {
    retained[name] = opts.retainOnDelete;
    return undefined;
  };
  new Dataplane("dp", { apiServer }, { transformations: [look] });
  await settled();
  expect(retained).toMatchObject({
    "dp-crd-ippools": true,
    "dp-crd-felixconfigurations": true,
    "dp-crd-ipamblocks": false,
  });
  const metadata = resources.find(({ name }) => name === "dp-crd-ippools")?.inputs.metadata;
  expect(metadata).toMatchObject({
    labels: DEFINITION_LABELS,
    annotations: { "pulumi.com/patchFieldManager": "ebpf-dataplane" },
  });
});

test("Dataplane tells agents which externalIPs to serve, by what they follow without a restart", async () => {
  const annotations = async (args: Partial<DataplaneArgs>) =>
    (await resourcesOf(args))("FelixConfiguration")[0].metadata.annotations;
  expect(await annotations({ externalIPs: ExternalIPs.Deny })).toMatchObject({
    "ebpf-dataplane.io/external-ips": "Deny",
  });
  expect(await annotations({ externalIPNetworks: ["203.0.113.0/24", "198.51.100.7/32"] })).toMatchObject({
    "ebpf-dataplane.io/external-ip-networks": "203.0.113.0/24,198.51.100.7/32",
  });
  expect(Object.keys(await annotations({}))).toEqual(["ebpf-dataplane.io/service-handling"]);
});

test.each([[["primary"]], [["172.31.0.0/16", "127.0.0.0/8"]]])("agents are told of node ports at %j", async (given) => {
  const configuration = (await resourcesOf({ nodePortAddresses: given }))("FelixConfiguration")[0];
  expect(configuration.metadata.annotations["ebpf-dataplane.io/node-port-addresses"]).toBe(given.join(","));
});

test("clients that opt out of direct replies are Calico's field, which agents follow", async () => {
  const spec = async (args: Partial<DataplaneArgs>) => (await resourcesOf(args))("FelixConfiguration")[0].spec;
  const dsrOptOutNetworks = ["192.168.7.0/24", "198.51.100.7/32", "2001:db8:7::/48"];
  expect(await spec({ dsrOptOutNetworks })).toEqual({
    bpfExternalServiceMode: "DSR",
    bpfDSROptoutCIDRs: dsrOptOutNetworks,
  });
  expect(await spec({})).toEqual({ bpfExternalServiceMode: "DSR" });
});

test.each([
  { metricsAddress: undefined, args: [] },
  { metricsAddress: MetricsAddress.Loopback, args: [] },
  { metricsAddress: MetricsAddress.Node, args: ["--metrics-address", "$(HOST_IP)"] },
  { metricsAddress: MetricsAddress.Any, args: ["--metrics-address", "any"] },
])("metrics are served at $metricsAddress", async ({ metricsAddress, args }) => {
  const daemonSet = (await resourcesOf(metricsAddress ? { metricsAddress } : {}))("DaemonSet")[0];
  expect(daemonSet.spec.template.spec.containers[0].args).toEqual(["agent", ...args]);
});

test("encryption is asked of the agents, with the right to write their own Nodes' keys, and neither without it", async () => {
  const encrypted = await resourcesOf({ encryption: Encryption.WireGuard });
  expect(encrypted("FelixConfiguration")[0].spec).toMatchObject({ wireguardEnabled: true });
  const rules = (all: typeof encrypted) => JSON.stringify(all("ClusterRole"));
  expect(rules(encrypted)).toContain('{"apiGroups":[""],"resources":["nodes"],"verbs":["patch"]}');
  const policies = (all: typeof encrypted) =>
    all("ValidatingAdmissionPolicy").filter(({ metadata }: { metadata: { name: string } }) =>
      metadata.name.endsWith("encryption"),
    );
  expect(JSON.stringify(policies(encrypted))).toContain("object.metadata.name == variables.nodes[0]");
  for (const encryption of [Encryption.None, undefined]) {
    const plain = await resourcesOf(encryption ? { encryption } : {});
    expect(plain("FelixConfiguration")[0].spec).not.toHaveProperty("wireguardEnabled");
    expect(rules(plain)).not.toContain('"nodes"],"verbs":["patch"]');
    expect(policies(plain)).toEqual([]);
  }
});

test("workloads send to the tunnel's port when that is allowed only", async () => {
  const spec = async (args: Partial<DataplaneArgs>) => (await resourcesOf(args))("FelixConfiguration")[0].spec;
  expect(await spec({ allowVxlanPacketsFromWorkloads: true })).toMatchObject({ allowVXLANPacketsFromWorkloads: true });
  expect(await spec({})).not.toHaveProperty("allowVXLANPacketsFromWorkloads");
  expect(await spec({})).not.toHaveProperty("flowLogsFileEnabled");
  const hosts = {
    failsafeInboundHostPorts: [{ protocol: Protocol.Tcp, port: 22, net: "10.0.0.0/8" }],
    failsafeOutboundHostPorts: [],
    defaultEndpointToHostAction: EndpointToHostAction.Return,
  };
  expect(await spec(hosts)).toMatchObject(hosts);
  expect(await spec({ flowLog: {} })).toMatchObject({ flowLogsFileEnabled: true });
  expect(await spec({ flowLog: {} })).not.toHaveProperty("flowLogsLocalReporter");
  const { Enabled: flowLogsLocalReporter } = FlowLogsLocalReporter;
  expect(await spec({ flowLogsLocalReporter })).toMatchObject({ flowLogsLocalReporter: "Enabled" });
  expect(await spec({ flowLogsLocalReporter })).not.toHaveProperty("flowLogsFileEnabled");
  expect(await spec({ flowLog: { intervalSeconds: 60, maxFiles: 2, maxFileSizeMb: 10 } })).toMatchObject({
    ...{ flowLogsFlushInterval: "60s", flowLogsFileMaxFiles: 2, flowLogsFileMaxFileSizeMB: 10 },
  });
  expect(
    await spec({ mapSizes: { connections: 100_000, affinities: 2000, frontends: 3000, endpoints: 4000 } }),
  ).toMatchObject({
    ...{ bpfMapSizeConntrack: 100_000, bpfMapSizeNATAffinity: 2000, bpfMapSizeNATFrontend: 3000 },
    bpfMapSizeNATBackend: 4000,
  });
});

test("agents are told which Services have metrics, where that is asked for", async () => {
  const told = async (args: Partial<DataplaneArgs>) =>
    JSON.parse((await resourcesOf(args))("ConfigMap")[0].data["settings.json"]);
  expect(await told({})).not.toHaveProperty("serviceMetrics");
  expect((await told({ serviceMetrics: {} })).serviceMetrics).toEqual({});
  const serviceMetrics = { namespaces: ["shop"], limit: 3 };
  expect((await told({ serviceMetrics })).serviceMetrics).toEqual(serviceMetrics);
});

test("which pods get addresses of a pool is in its object as it is in the argument", async () => {
  const resources = await recordResources();
  const chosen = { nodeSelector: "rack == '1'", namespaceSelector: "has(team)", assignmentMode: AssignmentMode.Manual };
  const uses = { allowedUses: [IpPoolUse.Workload, IpPoolUse.Tunnel] };
  new Dataplane("dp", {
    apiServer: { host: "172.31.1.8", port: 6443 },
    ipPools: [{ cidr: "10.244.0.0/16" }, { name: "rack", cidr: "10.2.0.0/16", ...chosen, ...uses }],
  });
  await settled();
  const { spec } = resources.find(({ name }) => name === "dp-rack-ippool")?.inputs ?? {};
  expect(spec).toMatchObject({ cidr: "10.2.0.0/16", ...chosen, ...uses });
  expect(ipPool.safeParse({ metadata: { name: "rack" }, spec }).error).toBeUndefined();
});

test("a pool for load balancers, and the rights for it, only where it is asked for", async () => {
  const resources = await recordResources();
  const lb = { name: "lb", cidr: "192.0.2.0/28", allowedUses: [IpPoolUse.LoadBalancer] };
  const lb6 = { name: "lb6", cidr: "2001:db8::f0/124", allowedUses: [IpPoolUse.LoadBalancer] };
  new Dataplane("dp", {
    apiServer: { host: "172.31.1.8", port: 6443 },
    loadBalancer: true,
    serviceSubnetIpv6: "fd00:10:96::/112",
    ipPools: [{ cidr: "10.244.0.0/16" }, lb, lb6],
  });
  await settled();
  const named = (name: string) => resources.find((item) => item.name === name)?.inputs;
  expect(named("dp-lb-ippool")?.spec).toEqual({
    ...{ cidr: lb.cidr, blockSize: 32, vxlanMode: "Never", natOutgoing: false, disabled: false },
    allowedUses: ["LoadBalancer"],
  });
  expect(named("dp-lb6-ippool")?.spec).toMatchObject({ cidr: lb6.cidr, blockSize: 128 });
  expect(named("dp-balancer-role")).toBeDefined();
  expect(named("dp-leases-validatingadmissionpolicy")).toBeDefined();
  expect(JSON.stringify(named("dp-configmap"))).toContain("loadBalancer");
});
