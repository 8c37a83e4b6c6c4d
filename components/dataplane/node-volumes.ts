/** A folder of the node that the agent's container sees. */
interface NodeFolder {
  name: string;
  /** Path on the node. */
  node: string;
  /** Path in the container; absent: the same. */
  container?: string;
  /** Whether mounts that appear on the node later must appear in the container. */
  follows?: boolean;
  readOnly?: boolean;
  /** Whether the node may not have it yet. */
  create?: boolean;
}

const FOLDERS: NodeFolder[] = [
  // Pinned maps and links must survive the agent's pod.
  { name: "bpffs", node: "/sys/fs/bpf", follows: true },
  { name: "run", node: "/run/ebpf-dataplane", create: true },
  // The flow log, where one is kept.
  { name: "log", node: "/var/log/ebpf-dataplane", create: true },
  // Network namespaces of pods: each is a mount that the container runtime creates later.
  { name: "netns", node: "/run/netns", follows: true, create: true, readOnly: true },
  // Socket programs attach to the node's root cgroup, which is not the container's.
  { name: "cgroup", node: "/sys/fs/cgroup", container: "/host/sys/fs/cgroup", follows: true, readOnly: true },
  // A container cannot write its own /proc/sys; of the node's, only the network settings are mounted.
  { name: "sysctl-net", node: "/proc/sys/net", container: "/host/proc/sys/net" },
  { name: "cni-conf", node: "/etc/cni/net.d", container: "/host/etc/cni/net.d", create: true },
  { name: "cni-bin", node: "/opt/cni/bin", container: "/host/opt/cni/bin", create: true },
];

export const NODE_VOLUMES = FOLDERS.map(({ name, node, create }) => ({
  name,
  hostPath: { path: node, type: create ? "DirectoryOrCreate" : "Directory" },
}));

export const NODE_MOUNTS = FOLDERS.map(({ name, node, container = node, follows, readOnly }) => ({
  name,
  mountPath: container,
  ...(follows && { mountPropagation: "HostToContainer" }),
  ...(readOnly && { readOnly }),
}));
