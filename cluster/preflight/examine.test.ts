import { expect, test } from "vitest";
import { type PreflightPlan, preflightSchema } from "../../components/documents/preflight.ts";
import { examine } from "./examine.ts";
import { daemonSet, fitCluster, fitReport, node } from "./facts.fixture.ts";
import type { ClusterFacts } from "./facts.ts";
import { gathered, ok } from "./finding.ts";

const planned = (more: object = {}): PreflightPlan =>
  preflightSchema.parse({ apiServer: { host: "172.31.1.8", port: 6443 }, ...more });
const told = (facts: Partial<ClusterFacts>, plan = {}) =>
  examine(fitCluster(facts), planned(plan))
    .filter(({ severity }) => severity !== "ok")
    .map(({ severity, check, nodes, found }) => [severity, check, nodes.join(), found].join(" | "));
const nodes = (...items: object[]) => ({ nodes: items as ClusterFacts["nodes"] });
function dualStackNode(name: string, ...[ipv4, ipv6]: [string, string]) {
  const { status, ...more } = node(name, ipv4);
  return { ...more, status: { ...status, addresses: [...status.addresses, { type: "InternalIP", address: ipv6 }] } };
}
const dualStackService = {
  metadata: { namespace: "shop", name: "web" },
  spec: { clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.9", "fd00:10:96::9"] },
};
const reports = (more: object) => ({ reports: new Map([["one", { ...fitReport, ...more }]]) });

test("a cluster without obstacles: every check is ok", () => {
  expect(told({})).toEqual([]);
  const checks = examine(fitCluster(), planned()).map(({ check }) => check);
  expect(checks).toEqual([
    "cluster",
    "rights",
    "kube-proxy",
    "network plugin",
    "definitions",
    "kernel",
    "BPF features",
    "addresses",
    "MTU",
    "node ports",
    "cloud",
  ]);
});

test.each([
  ["v1.31.9", 1],
  ["v1.32.0", 0],
  ["v1.33.1-eks-0123abc", 0],
  ["v1.9.0", 1],
])("Kubernetes %s: agents' tokens must name their node", (version, count) => {
  expect(told({ version }).filter((line) => line.startsWith("refused | cluster")).length).toBe(count);
});

const EKS_PROXY = daemonSet(
  "kube-system",
  "kube-proxy",
  "602401143452.dkr.ecr.example/eks/kube-proxy:v1.35.0-eksbuild.1",
);
const OURS = daemonSet("ebpf-dataplane", "kube-proxy", "registry.k8s.io/kube-proxy:v1.35.0");
const REMOVED = daemonSet("kube-system", "kube-proxy", "kube-proxy:1", { "ebpf-dataplane.io/kube-proxy": "removed" });
const staticPod = (owner?: string) => ({
  metadata: { namespace: "kube-system", name: "kube-proxy-one", ...(owner && { ownerReferences: [{ kind: owner }] }) },
  spec: { hostNetwork: true, containers: [{ name: "kube-proxy", image: "kube-proxy:1" }] },
  status: { phase: "Running" },
});

const TENANTS = {
  ...staticPod(),
  metadata: { namespace: "tenant", name: "kube-proxy" },
  spec: { containers: [{ name: "kube-proxy", image: "kube-proxy:1" }] },
};

test.each<[string, Partial<ClusterFacts>, object, string[]]>([
  ["a tenant's pod that is only called kube-proxy", { pods: [TENANTS] }, {}, []],
  [
    "a tenant's DaemonSet that is only called kube-proxy",
    { daemonSets: [{ spec: { selector: {}, template: { spec: TENANTS.spec } } }] },
    {},
    [],
  ],
  [
    "kube-proxy",
    { daemonSets: [EKS_PROXY] },
    {},
    ["refused | kube-proxy |  | DaemonSet kube-system/kube-proxy handles services"],
  ],
  ["kube-proxy that may be removed", { daemonSets: [EKS_PROXY] }, { existingKubeProxy: "remove" }, []],
  ["kube-proxy that is already removed", { daemonSets: [REMOVED] }, { existingKubeProxy: "remove" }, []],
  [
    "kube-proxy that would come back",
    { daemonSets: [REMOVED] },
    {},
    [
      "refused | kube-proxy |  | DaemonSet kube-system/kube-proxy was removed from the nodes by this package, and would return beside the dataplane",
    ],
  ],
  ["kube-proxy of ours", { daemonSets: [OURS], ...reports({ kubeProxy: { runs: true, rules: true } }) }, {}, []],
  [
    "a static pod",
    { pods: [staticPod("Node")] as never },
    { existingKubeProxy: "remove" },
    ["refused | kube-proxy |  | a pod of kube-proxy without a DaemonSet (kube-system/kube-proxy-one)"],
  ],
  ["a DaemonSet's pod", { pods: [staticPod("DaemonSet")] as never }, {}, []],
  [
    "kube-proxy without a pod",
    reports({ kubeProxy: { runs: true, rules: true } }),
    {},
    ["refused | kube-proxy | one | runs without a pod"],
  ],
  [
    "leftover rules",
    reports({ kubeProxy: { runs: false, rules: true } }),
    {},
    ["warning | kube-proxy | one | rules left by a removed kube-proxy, or of one inside another program (k3s)"],
  ],
  [
    "the VPC's plugin",
    { daemonSets: [daemonSet("kube-system", "aws-node", "cni:1")] },
    {},
    ["refused | network plugin |  | AWS VPC CNI: DaemonSet kube-system/aws-node"],
  ],
  [
    "an accepted plugin",
    { daemonSets: [daemonSet("kube-flannel", "kube-flannel-ds", "f")] },
    { otherNetworkPlugin: "accept" },
    ["warning | network plugin |  | Flannel: DaemonSet kube-flannel/kube-flannel-ds"],
  ],
  [
    "a plugin's file",
    reports({ plugins: [{ file: "10-calico.conflist", types: ["calico", "portmap"] }] }),
    {},
    ["refused | network plugin | one | /etc/cni/net.d/10-calico.conflist (Calico)"],
  ],
  [
    "an example of a runtime",
    reports({ plugins: [{ file: "87-podman.conflist", types: ["bridge"] }] }),
    {},
    ["warning | network plugin | one | /etc/cni/net.d/87-podman.conflist (bridge)"],
  ],
  [
    "Calico's API server",
    { calicoApiServer: true },
    {},
    [
      "refused | network plugin |  | Calico's API server serves projectcalico.org/v3, the kinds that this dataplane reads",
    ],
  ],
  [
    "rights",
    { denied: ["create daemonsets.apps"] },
    {},
    ["refused | rights |  | this kubeconfig may not create daemonsets.apps"],
  ],
  [
    "an image that cannot be pulled",
    { reports: new Map([["one", "ErrImagePull: not found"]]) },
    {},
    ["refused | node check | one | ErrImagePull: not found"],
  ],
  [
    "a verifier that rejects",
    reports({ obstacles: { ...fitReport.obstacles, programs: "no BTF" } }),
    {},
    ["refused | BPF programs | one | no BTF"],
  ],
  [
    "pods in the nodes' network",
    {},
    { podCidrs: ["172.31.0.0/16"] },
    ["refused | addresses | one,two | its address lies inside 172.31.0.0/16"],
  ],
  [
    "another service subnet",
    {},
    { serviceSubnet: "10.100.0.0/16" },
    ["refused | addresses |  | service default/kubernetes has 10.96.0.1, outside serviceSubnet 10.100.0.0/16"],
  ],
  [
    "a dual-stack dataplane where one node has no IPv6 address",
    {
      nodes: [node("one", "172.31.1.8"), dualStackNode("two", "172.31.1.9", "fd00::9")] as ClusterFacts["nodes"],
    },
    { podCidrs: ["10.244.0.0/16", "fd00:10:244::/56"], serviceSubnetIpv6: "fd00:10:96::/112" },
    ["warning | addresses | one | has no IPv6 InternalIP: its pods have no address of fd00:10:244::/56"],
  ],
  [
    "a node with IPv6 alone among nodes that have IPv4",
    { nodes: [node("one", "172.31.1.8"), node("six", "fd00::9")] as ClusterFacts["nodes"] },
    {},
    ["refused | addresses | six | has no IPv4 InternalIP, but other nodes have: tunnels between nodes use IPv4 then"],
  ],
  [
    "nodes with IPv6 alone and a pool of IPv4",
    { nodes: [node("five", "fd00::8"), node("six", "fd00::9")] as ClusterFacts["nodes"], services: [], pods: [] },
    {},
    ["refused | addresses | five,six | has no IPv4 InternalIP, so its pods cannot have addresses of 10.244.0.0/16"],
  ],
  [
    "nodes with IPv6 alone and a pool of IPv6",
    { nodes: [node("five", "fd00::8"), node("six", "fd00::9")] as ClusterFacts["nodes"], services: [], pods: [] },
    { podCidrs: ["fd00:10:244::/56"], serviceSubnetIpv6: "fd00:10:96::/112" },
    [],
  ],
  [
    "an IPv6 address of a node in a pool",
    { nodes: [dualStackNode("two", "172.31.1.9", "fd00:10:244::9")] as ClusterFacts["nodes"] },
    { podCidrs: ["10.244.0.0/16", "fd00:10:244::/56"], serviceSubnetIpv6: "fd00:10:96::/112" },
    ["refused | addresses | two | its address lies inside fd00:10:244::/56"],
  ],
  [
    "another IPv6 service subnet",
    { services: [dualStackService] },
    { serviceSubnetIpv6: "fd00:10:97::/112" },
    ["refused | addresses |  | service shop/web has fd00:10:96::9, outside serviceSubnetIpv6 fd00:10:97::/112"],
  ],
  [
    "networks of nodes that pools do not have, or that are missing, with ipam HostLocal",
    {
      nodes: [
        node("one", "172.31.1.8", { spec: { podCIDRs: ["10.244.0.0/24"] } }),
        node("two", "172.31.1.9"),
        node("three", "172.31.1.10", { spec: { podCIDRs: ["10.9.0.0/24"] } }),
      ] as ClusterFacts["nodes"],
    },
    { ipam: "HostLocal" },
    [
      "refused | addresses | three | 10.9.0.0/24 of its spec.podCIDRs is in no pool",
      "refused | addresses | two | has no spec.podCIDRs of IPv4, which ipam HostLocal gives to pods",
    ],
  ],
  [
    "Services with IPv6 addresses and a dataplane without",
    { services: [dualStackService] },
    {},
    ["warning | addresses |  | service shop/web has fd00:10:96::9, which pods without IPv6 addresses do not reach"],
  ],
  [
    "a service as API server",
    {},
    { apiServer: { host: "10.96.0.1", port: 443 } },
    ["refused | API server |  | 10.96.0.1 is a Service's address"],
  ],
  [
    "packets that are too large",
    reports({ mtu: 1450 }),
    { mtu: 1500 },
    ["refused | MTU | one | its uplink has 1450, less than the declared mtu of 1500"],
  ],
  [
    "two sizes of packets",
    {
      reports: new Map([
        ["one", fitReport],
        ["two", { ...fitReport, mtu: 9001 }],
      ]),
    },
    {},
    ["warning | MTU |  | nodes differ: 1500, 9001"],
  ],
  [
    "local ports among node ports",
    reports({ localPorts: [1024, 65535] }),
    {},
    [
      "warning | node ports | one | 30000-32767 (Kubernetes' default; the API server does not show its own): the node's own connections use ports 1024-65535, and would be mistaken for clients of a service",
    ],
  ],
])("%s", (_, facts, plan, expected) => {
  expect(told(facts, plan)).toEqual(expected);
});

test("pods with addresses of another plugin, or of a removed dataplane", () => {
  const pod = (podIP: string) => ({
    metadata: { namespace: "shop", name: "web" },
    spec: {},
    status: { phase: "Running", podIP },
  });
  const pods = [pod("10.244.1.7")] as never;
  const warning = "warning | addresses |  | 1 pods have addresses from another network plugin, for example shop/web";
  expect(told({ pods })).toEqual([warning]);
  const daemonSets = [daemonSet("ebpf-dataplane", "ebpf-dataplane", "ebpf-dataplane:1")];
  expect(told({ pods, daemonSets })).toEqual([]);
  expect(told({ pods: [pod("192.168.7.7")] as never, daemonSets })).toEqual([warning]);
});

test.each([
  [{ nodeInfo: { kernelVersion: "5.15.0-1019" } }, "refused | kernel | old | 5.15.0-1019"],
  [
    { nodeInfo: { architecture: "riscv64", kernelVersion: "6.8" } },
    "refused | kind of node | old | has processors of riscv64; the agent's image is for amd64 and arm64",
  ],
  [
    { nodeInfo: { kernelVersion: "6.8", containerRuntimeVersion: "docker://28.1.1" } },
    "refused | container runtime | old | docker://28.1.1",
  ],
])("a node of %j", (status, expected) => {
  expect(told(nodes(node("old", "172.31.1.7", { status })))).toEqual([expected]);
});

test("a taint that nothing would remove, and nodes that are not machines", () => {
  const tainted = { spec: { taints: [{ key: "node.cilium.io/agent-not-ready", effect: "NoSchedule" }] } };
  const fargate = { metadata: { name: "f", labels: { "eks.amazonaws.com/compute-type": "fargate" } } };
  expect(told(nodes(node("t", "172.31.1.7", tainted), node("f", "172.31.1.6", fargate)))).toEqual([
    "refused | kind of node | f | is not a machine (Fargate, virtual kubelet): it runs no privileged pods",
    "warning | taint | t | node.cilium.io/agent-not-ready:NoSchedule: agents tolerate it, other pods wait until it is removed",
  ]);
});

test("direct returns in a cloud, behind a load balancer; tunnel mode needs neither", () => {
  const facts = {
    ...nodes(node("one", "172.31.1.8", { spec: { providerID: "aws:///eu-central-1a/i-0123" } })),
    services: [
      {
        metadata: { namespace: "shop", name: "web" },
        spec: { type: "LoadBalancer", clusterIP: "10.96.3.4" },
        status: { loadBalancer: { ingress: [{ hostname: "nlb.example" }] } },
      },
    ],
  };
  expect(told(facts)).toEqual([
    expect.stringMatching(/^warning \| cloud \|.*AWS drops/),
    expect.stringMatching(/^warning \| load balancer \|.*shop\/web/),
  ]);
  expect(told(facts, { returnMode: "tunnel" })).toEqual([]);
});

test("equal findings of several nodes are merged, those that need action come first", () => {
  const warning = { ...ok("MTU", "1450", ["two"]), severity: "warning" as const };
  expect(gathered([ok("kernel", "6.8", ["one"]), warning, ok("kernel", "6.8", ["two"])])).toEqual([
    warning,
    ok("kernel", "6.8", ["one", "two"]),
  ]);
});

const inNamespace = (labels?: Record<string, string>, isDeployed = true) =>
  ({ namespace: labels && { metadata: { name: "net", labels } }, isDeployed }) as Partial<ClusterFacts>;
const ENFORCE = "pod-security.kubernetes.io/enforce";

test.each<[string, object, Record<string, string> | undefined, string[]]>([
  ["made by the program, and not there yet", { createNamespace: true }, undefined, []],
  ["made by an earlier run", { createNamespace: true }, { "k8s-app": "ebpf-dataplane" }, []],
  ["of somebody else, to be made", { createNamespace: true }, { team: "a" }, ["net exists and is not this package's"]],
  ["of the user's", { createNamespace: false }, { [ENFORCE]: "privileged" }, []],
  ["without a level", { createNamespace: false }, {}, []],
  ["that admits no agents", { createNamespace: false }, { [ENFORCE]: "baseline" }, ["net admits no agents"]],
  ["that is not there", { createNamespace: false }, undefined, ["there is no net"]],
])("a namespace %s", (_, plan, labels, found) => {
  const lines = told(inNamespace(labels), { namespace: "net", ...plan });
  expect(lines.map((line) => line.replace("refused | namespace |  | ", ""))).toEqual(
    found.map((words) => expect.stringContaining(words)),
  );
});

test("kube-proxy beside agents of another namespace is ours; one of that name in the default namespace is not", () => {
  const daemonSets = [OURS];
  expect(told({ daemonSets, agentNamespace: "ebpf-dataplane" })).toEqual([]);
  expect(told({ daemonSets, agentNamespace: "net" })).toHaveLength(1);
});

test("definitions of others that the plan has objects of are missing, or there", () => {
  const neededDefinitions = ["podmonitors.monitoring.coreos.com", "prometheusrules.monitoring.coreos.com"];
  const [name] = neededDefinitions;
  const definitions = [{ metadata: { name } }] as ClusterFacts["definitions"];
  expect(told({ definitions }, { neededDefinitions })).toEqual([
    "warning | definitions |  | there is no definition prometheusrules.monitoring.coreos.com, of which monitoring has an object: the deployment will fail at it, after the agents run",
  ]);
});

test("definitions of Calico under the dataplane's names are never taken over, even if its plugin is accepted", () => {
  const definition = (name: string, manager: string) =>
    ({
      metadata: { name, managedFields: [{ manager, fieldsV1: { "f:spec": {} } }] },
    }) as ClusterFacts["definitions"][0];
  const calico = [
    definition("ippools.projectcalico.org", "tigera-operator"),
    definition("ipamconfigurations.projectcalico.org", "tigera-operator"),
  ];
  const plan = preflightSchema.parse({ otherNetworkPlugin: "accept" });
  const found = examine(fitCluster({ definitions: calico }), plan).filter(({ check }) => check === "definitions");
  expect(found).toMatchObject([
    { severity: "refused", found: expect.stringContaining("ippools.projectcalico.org belongs to tigera-operator") },
    { severity: "warning", found: expect.stringContaining("1 of Calico that this dataplane does not read") },
  ]);
  expect(found[0]?.next).toContain("kubectl delete crd ippools.projectcalico.org");
  const policies = fitCluster({
    definitions: [definition("clusternetworkpolicies.policy.networking.k8s.io", "kubectl")],
  });
  const ofPolicies = (more: object) =>
    examine(policies, preflightSchema.parse(more)).find(({ check }) => check === "definitions");
  expect(ofPolicies({})).toMatchObject({
    severity: "refused",
    next: expect.stringContaining("set clusterNetworkPolicyDefinition of Dataplane to false"),
  });
  expect(ofPolicies({ clusterNetworkPolicyDefinition: false })).toMatchObject({ severity: "ok" });
  const own = fitCluster({ definitions: [definition("ippools.projectcalico.org", "ebpf-dataplane-runner")] });
  expect(examine(own, plan).find(({ check }) => check === "definitions")).toMatchObject({ severity: "ok" });
});
