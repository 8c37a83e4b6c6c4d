import type { V1Node } from "@kubernetes/client-node";
import type { NodeReport, Obstacles } from "../../agent/features/report.ts";
import type { PreflightPlan } from "../../components/documents/preflight.ts";
import type { ClusterFacts } from "./facts.ts";
import { type Finding, ok, refused, warning } from "./finding.ts";

/** Oldest supported kernel; older ones lack helpers that the programs call. */
const OLDEST_KERNEL = [6, 1] as const;
const ARCHITECTURES = ["amd64", "arm64"];

/** Taints that a network plugin or the cloud's controller removes; they stay if it is not installed. */
const FOREIGN_TAINT = /^(node\.cilium\.io|calico|projectcalico\.org|node\.cloudprovider\.kubernetes\.io)\b/;

/** Missing features of a node: name of the check and next step. */
const OBSTACLES: Record<keyof Obstacles, { check: string; next: string }> = {
  programs: {
    check: "BPF programs",
    next: "use a newer kernel with BTF (CONFIG_DEBUG_INFO_BTF) and BPF JIT; lockdown mode forbids BPF",
  },
  attach: { check: "BPF hooks", next: "use a kernel with TCX (6.6) or with the modules sch_ingress and cls_bpf" },
  devices: {
    check: "interfaces",
    next: "load the kernel modules vxlan and veth (package linux-modules-extra on Ubuntu)",
  },
  cgroup: { check: "cgroup2", next: "mount cgroup2 on the node, as systemd does since 2021" },
  bpffs: { check: "BPF file system", next: "mount -t bpf bpf /sys/fs/bpf on the node, as systemd does at boot" },
  apiServer: { check: "API server", next: "set apiServer to an address that every node reaches: not a Service's" },
  tunnelPort: {
    check: "VXLAN",
    next: "remove the other interface (ip link delete …): it was left by a removed network plugin",
  },
};

export function examineNodes(facts: ClusterFacts, plan: Pick<PreflightPlan, "encryption">): Finding[] {
  return facts.nodes.flatMap((node) => {
    const name = node.metadata?.name ?? "";
    const unfit = unfitKind(node);
    if (unfit)
      return [
        refused(
          "kind of node",
          unfit,
          "leave it out by nodeSelector or affinity of the Dataplane, or remove it from this cluster",
          [name],
        ),
      ];
    return [
      ...kernelOf(node, name),
      ...runtimeOf(node, name),
      ...taintsOf(node, name),
      ...reported(name, facts.reports.get(name)),
      ...(plan.encryption === "WireGuard" ? encryptionOf(name, facts.reports.get(name)) : []),
    ];
  });
}

function encryptionOf(name: string, report: NodeReport | string | undefined): Finding[] {
  if (typeof report !== "object" || report.wireguard === undefined) return [];
  if (report.wireguard === "") return [ok("encryption", "WireGuard", [name])];
  return [
    refused(
      "encryption",
      `no WireGuard: ${report.wireguard}`,
      "load the kernel module wireguard on the node, or set encryption to None: what is not encrypted is not sent",
      [name],
    ),
  ];
}

/** Why an agent cannot be started there at all. */
export function unfitKind({ metadata, status }: V1Node): string | undefined {
  const { labels = {} } = metadata ?? {};
  const { operatingSystem = "linux", architecture = "amd64" } = status?.nodeInfo ?? {};
  if (operatingSystem !== "linux") return `runs ${operatingSystem}`;
  if (!ARCHITECTURES.includes(architecture))
    return `has processors of ${architecture}; the agent's image is for ${ARCHITECTURES.join(" and ")}`;
  if (labels["eks.amazonaws.com/compute-type"] === "fargate" || labels.type === "virtual-kubelet")
    return "is not a machine (Fargate, virtual kubelet): it runs no privileged pods";
  return undefined;
}

function kernelOf({ status }: V1Node, name: string): Finding[] {
  const kernel = status?.nodeInfo?.kernelVersion ?? "";
  const [major = 0, minor = 0] = kernel.split(/[.-]/).map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_KERNEL;
  const old = major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
  if (!old) return [ok("kernel", kernel, [name])];
  return [refused("kernel", kernel, `use kernel ${OLDEST_KERNEL.join(".")} or later`, [name])];
}

/** cri-dockerd identifies a pod's network namespace by a process of the node, which agents cannot see. */
function runtimeOf({ status }: V1Node, name: string): Finding[] {
  const runtime = status?.nodeInfo?.containerRuntimeVersion ?? "";
  if (!runtime.startsWith("docker://")) return [];
  return [
    refused(
      "container runtime",
      runtime,
      "use containerd or CRI-O: agents do not see the processes by which Docker identifies a pod's network",
      [name],
    ),
  ];
}

function taintsOf({ spec }: V1Node, name: string): Finding[] {
  const foreign = (spec?.taints ?? []).filter(({ key }) => FOREIGN_TAINT.test(key));
  return foreign.map(({ key, effect }) =>
    warning(
      "taint",
      `${key}:${effect}: agents tolerate it, other pods wait until it is removed`,
      `run the controller that removes it, or kubectl taint node NODE ${key}-`,
      [name],
    ),
  );
}

function reported(name: string, report: NodeReport | string | undefined): Finding[] {
  if (report === undefined) return [];
  if (typeof report === "string")
    return [
      refused(
        "node check",
        report,
        "the agent's pods would fail too: check the image and the node (kubectl describe node)",
        [name],
      ),
    ];
  const obstacles = (Object.keys(OBSTACLES) as (keyof Obstacles)[]).filter((key) => report.obstacles[key] !== "");
  if (obstacles.length === 0)
    return [ok("BPF features", `all programs load; ${report.attach}; VXLAN, cgroup2`, [name])];
  return obstacles.map((key) => refused(OBSTACLES[key].check, report.obstacles[key], OBSTACLES[key].next, [name]));
}
