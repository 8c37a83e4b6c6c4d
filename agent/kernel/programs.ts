// The programs of the packet path: their object files and hooks.

/** One hook. `attachType` is enum bpf_attach_type (linux/bpf.h). */
export type Hook =
  | { readonly kind: "device"; readonly direction: "ingress" | "egress" }
  | { readonly kind: "cgroup"; readonly attachType: number }
  /** In an uplink's card, where that is asked for. */
  | { readonly kind: "xdp" }
  /** Not attached: the agent runs it on a frame that it made. */
  | { readonly kind: "run" }
  /** Not attached: the agent has it called for each entry of a map, and reads what it writes (a BPF iterator). */
  | { readonly kind: "walk" };

const ingress: Hook = { kind: "device", direction: "ingress" };
const egress: Hook = { kind: "device", direction: "egress" };

/** Program name (the C function) → its object and hook. */
export const programs = {
  from_uplink: { object: "uplink", hook: ingress },
  to_uplink: { object: "uplink", hook: egress },
  announce: { object: "uplink", hook: { kind: "run" } },
  xdp_uplink: { object: "xdp", hook: { kind: "xdp" } },
  from_workload: { object: "workload", hook: ingress },
  to_workload: { object: "workload", hook: egress },
  from_tunnel: { object: "tunnel", hook: ingress },
  to_tunnel: { object: "tunnel", hook: egress },
  to_loopback: { object: "tunnel", hook: egress },
  from_wireguard: { object: "tunnel", hook: ingress },
  to_wireguard: { object: "tunnel", hook: egress },
  connect4: { object: "socket", hook: { kind: "cgroup", attachType: 10 } },
  connect6: { object: "socket", hook: { kind: "cgroup", attachType: 11 } },
  sendmsg4: { object: "socket", hook: { kind: "cgroup", attachType: 14 } },
  sendmsg6: { object: "socket", hook: { kind: "cgroup", attachType: 15 } },
  recvmsg4: { object: "socket", hook: { kind: "cgroup", attachType: 19 } },
  recvmsg6: { object: "socket", hook: { kind: "cgroup", attachType: 20 } },
  getpeername4: { object: "socket", hook: { kind: "cgroup", attachType: 29 } },
  getpeername6: { object: "socket", hook: { kind: "cgroup", attachType: 30 } },
  outlived_sockets: { object: "socket", hook: { kind: "walk" } },
} as const satisfies Record<string, { object: string; hook: Hook }>;

export type ProgramName = keyof typeof programs;

export const programNames = Object.keys(programs) as ProgramName[];

/** Without a build's suffix and .bpf.o. */
export const objectNames: readonly string[] = [...new Set(programNames.map((name) => programs[name].object))];
