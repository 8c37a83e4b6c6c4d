import type { NodeReport } from "../../agent/features/report.ts";
import type { ClusterFacts } from "./facts.ts";

/** A node that meets all requirements. */
export const fitReport: NodeReport = {
  kernel: "6.8.0",
  architecture: "x64",
  attach: "tcx",
  obstacles: { programs: "", attach: "", devices: "", cgroup: "", bpffs: "", apiServer: "", tunnelPort: "" },
  plugins: [],
  kubeProxy: { runs: false, rules: false },
  mtu: 1500,
  localPorts: [32768, 60999],
};

export const node = (name: string, address: string, more: object = {}) => ({
  metadata: { name },
  spec: {},
  status: {
    addresses: [{ type: "InternalIP", address }],
    nodeInfo: { kernelVersion: "6.8.0-1021-aws", operatingSystem: "linux", architecture: "amd64" },
  },
  ...more,
});

/** A cluster of two nodes where nothing blocks the dataplane. */
export function fitCluster(more: Partial<ClusterFacts> = {}): ClusterFacts {
  return {
    clusterId: "9d305b25-6b0d-48dc-a557-92875c2c6cb6",
    version: "v1.35.0",
    nodes: [node("one", "172.31.1.8"), node("two", "172.31.1.9")] as ClusterFacts["nodes"],
    agentNamespace: "ebpf-dataplane",
    isDeployed: false,
    namespace: undefined,
    daemonSets: [],
    pods: [],
    services: [{ metadata: { namespace: "default", name: "kubernetes" }, spec: { clusterIP: "10.96.0.1" } }],
    definitions: [],
    calicoApiServer: false,
    denied: [],
    reports: new Map([
      ["one", fitReport],
      ["two", fitReport],
    ]),
    ...more,
  };
}

export function daemonSet(namespace: string, name: string, image: string, nodeSelector = {}) {
  const spec = { hostNetwork: true, containers: [{ name: "main", image }], nodeSelector };
  return {
    metadata: { namespace, name },
    spec: { selector: {}, template: { spec } },
  } as ClusterFacts["daemonSets"][0];
}
