import type * as k8s from "@pulumi/kubernetes";

type SecurityContext = k8s.types.input.core.v1.SecurityContext;

/** What the agent does with each capability. Missing on purpose: SYS_RESOURCE (memory of maps has no rlimit since Linux 5.11),
 * SYS_MODULE (the kernel loads what a netlink request needs), SYS_PTRACE (namespaces are entered by path, not by process), NET_RAW (a verification captures in pods of its own). */
const CAPABILITIES = {
  BPF: "loads programs, makes and reads maps",
  PERFMON:
    "lets the verifier follow pointers, in programs and in event rings, and loads the program that reads sockets",
  NET_ADMIN: "attaches programs, makes interfaces and routes, writes nftables and net sysctls",
  NET_BIND_SERVICE: "lets BIRD listen at BGP's port, 179",
  SYS_ADMIN: "enters the network namespaces of pods: setns(2) asks for it, and nothing else here does",
  DAC_OVERRIDE: "installs the plugin where /opt/cni/bin belongs to another user, as its release's archive leaves it",
};

/** The agent's rights on its node, and those of every pod that runs its image there. Profiles of AppArmor and SELinux are the
 * runtime's for privileged programs: its ordinary ones forbid bpf(2), mounts and files below /sys/fs/bpf. */
export const NODE_RIGHTS = {
  privileged: false,
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"], add: Object.keys(CAPABILITIES) },
  seccompProfile: { type: "RuntimeDefault" },
  appArmorProfile: { type: "Unconfined" },
  seLinuxOptions: { type: "spc_t", level: "s0" },
} satisfies SecurityContext;

/** kube-proxy's: it writes the packet filter, whatever the mode. */
export const PACKET_FILTER_RIGHTS = {
  ...NODE_RIGHTS,
  capabilities: { drop: ["ALL"], add: ["NET_ADMIN", "NET_RAW"] },
} satisfies SecurityContext;
