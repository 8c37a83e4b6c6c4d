import type { V1Node } from "@kubernetes/client-node";
import type { NodeReport, Obstacles } from "../../agent/features/report.ts";
import type { ClusterFacts } from "./facts.ts";
import { type Finding, ok, refused, warning } from "./finding.ts";

/** What the programs are written for; older kernels lack helpers that they call. */
const OLDEST_KERNEL = [6, 1] as const;
const ARCHITECTURES = ["amd64", "arm64"];

/** Taints that a network plugin, or the cloud's own controller, has to take off; nobody does while that one is not there. */
const FOREIGN_TAINT = /^(node\.cilium\.io|calico|projectcalico\.org|node\.cloudprovider\.kubernetes\.io)\b/;

/** What a node lacks, in what words, and what helps. */
const OBSTACLES: Record<keyof Obstacles, { check: string; next: string }> = {
  programs: {
    check: "BPF programs",
    next: "a newer kernel with BTF (CONFIG_DEBUG_INFO_BTF) and BPF JIT; lockdown mode forbids BPF",
  },
  attach: { check: "BPF hooks", next: "a kernel with TCX (6.6) or with the modules sch_ingress and cls_bpf" },
  devices: {
    check: "interfaces",
    next: "load the kernel modules vxlan and veth (package linux-modules-extra on Ubuntu)",
  },
  cgroup: { check: "cgroup2", next: "mount cgroup2 on the node, as systemd does since 2021" },
  bpffs: { check: "BPF file system", next: "mount -t bpf bpf /sys/fs/bpf on the node, as systemd does at boot" },
  apiServer: { check: "API server", next: "set apiServer to an address that every node reaches: not a Service's" },
  tunnelPort: {
    check: "VXLAN",
    next: "remove the other interface (ip link delete …): it is a network plugin's that is gone",
  },
};

export function judgeNodes(facts: ClusterFacts): Finding[] {
  return facts.nodes.flatMap((node) => {
    const name = node.metadata?.name ?? "";
    const unfit = unfitKind(node);
    if (unfit) return [refused("kind of node", unfit, "keep it out of this cluster: agents run on every node", [name])];
    return [
      ...kernelOf(node, name),
      ...runtimeOf(node, name),
      ...taintsOf(node, name),
      ...reported(name, facts.reports.get(name)),
    ];
  });
}

/** Whether an agent could be started there at all. */
export function unfitKind({ metadata, status }: V1Node): string | undefined {
  const { labels = {} } = metadata ?? {};
  const { operatingSystem = "linux", architecture = "amd64" } = status?.nodeInfo ?? {};
  if (operatingSystem !== "linux") return `runs ${operatingSystem}`;
  if (!ARCHITECTURES.includes(architecture))
    return `has processors of ${architecture}; the agent's image is for ${ARCHITECTURES.join(" and ")}`;
  if (labels["eks.amazonaws.com/compute-type"] === "fargate" || labels.type === "virtual-kubelet")
    return "is no machine (Fargate, virtual kubelet): it runs no privileged pods";
  return undefined;
}

function kernelOf({ status }: V1Node, name: string): Finding[] {
  const kernel = status?.nodeInfo?.kernelVersion ?? "";
  const [major = 0, minor = 0] = kernel.split(/[.-]/).map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_KERNEL;
  const old = major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
  if (!old) return [ok("kernel", kernel, [name])];
  return [refused("kernel", kernel, `a kernel from ${OLDEST_KERNEL.join(".")} on`, [name])];
}

/** Docker behind cri-dockerd names a pod's network namespace by a process of the node, and agents see no processes. */
function runtimeOf({ status }: V1Node, name: string): Finding[] {
  const runtime = status?.nodeInfo?.containerRuntimeVersion ?? "";
  if (!runtime.startsWith("docker://")) return [];
  return [
    refused(
      "container runtime",
      runtime,
      "containerd or CRI-O: agents do not see the processes by which Docker names a pod's network",
      [name],
    ),
  ];
}

function taintsOf({ spec }: V1Node, name: string): Finding[] {
  const foreign = (spec?.taints ?? []).filter(({ key }) => FOREIGN_TAINT.test(key));
  return foreign.map(({ key, effect }) =>
    warning(
      "taint",
      `${key}:${effect}: agents tolerate it, other pods wait until it is taken off`,
      `run what takes it off, or kubectl taint node NODE ${key}-`,
      [name],
    ),
  );
}

function reported(name: string, report: NodeReport | string | undefined): Finding[] {
  if (report === undefined) return [];
  if (typeof report === "string")
    return [
      refused(
        "look at the node",
        report,
        "the agent's pods would fare no better: see to the image and the node (kubectl describe node)",
        [name],
      ),
    ];
  const obstacles = (Object.keys(OBSTACLES) as (keyof Obstacles)[]).filter((key) => report.obstacles[key] !== "");
  if (obstacles.length === 0)
    return [ok("BPF features", `all programs load; ${report.attach}; VXLAN, cgroup2`, [name])];
  return obstacles.map((key) => refused(OBSTACLES[key].check, report.obstacles[key], OBSTACLES[key].next, [name]));
}
