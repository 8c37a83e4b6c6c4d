// How Services are handled, in one vocabulary, with the names that other software uses. Components import this file, so it uses no package
// that the npm package does not depend on.

/** The component that gives Services their backends: a value of the typed inputs and of FelixConfiguration's annotation. */
export const serviceHandlings = ["Ebpf", "KubeProxyIptables", "KubeProxyNftables"] as const;
export type ServiceHandling = (typeof serviceHandlings)[number];

/** How the reply of a Service that was reached from outside the cluster returns: a value of the typed inputs. */
export const returnModeWords = ["dsr", "tunnel"] as const;
export type ReturnMode = (typeof returnModeWords)[number];

/** Whose sockets are given a backend when they connect: a value of the typed inputs and of FelixConfiguration's annotation. */
export const socketTranslations = ["All", "HostOnly"] as const;
export type SocketTranslation = (typeof socketTranslations)[number];

/** Whether packets are handled in the drivers of the uplinks' cards where that is possible: a value of the typed inputs and of FelixConfiguration's annotation. */
export const xdpModes = ["Disabled", "Native"] as const;
export type XdpMode = (typeof xdpModes)[number];

/** A way of handling Services as a whole, as it is measured and published. `Direct` is the lower bound: no Service at all. */
export const measuredModes = ["KubeProxyIptables", "KubeProxyNftables", "EbpfTunnel", "EbpfDsr", "Direct"] as const;
export type MeasuredMode = (typeof measuredModes)[number];

/** The handlings in the order in which they are measured and published while the number of Services grows. */
export const scaledModes = ["KubeProxyIptables", "KubeProxyNftables", "Ebpf"] as const satisfies ServiceHandling[];

/** Each return mode as FelixConfiguration's bpfExternalServiceMode, as the packet path's `enum return_mode`, and as a measured mode. */
export const returnModes = {
  dsr: { calico: "DSR", bpf: "DIRECT", measured: "EbpfDsr" },
  tunnel: { calico: "Tunnel", bpf: "TUNNEL", measured: "EbpfTunnel" },
} as const satisfies Record<ReturnMode, { calico: string; bpf: string; measured: MeasuredMode }>;

/** Each handling as the packet path's `enum service_handling`, and as a measured mode; our own has one for each return mode. */
export const handlings = {
  Ebpf: { bpf: "TRANSLATED", measured: undefined },
  KubeProxyIptables: { bpf: "LEFT_TO_HOST", measured: "KubeProxyIptables" },
  KubeProxyNftables: { bpf: "LEFT_TO_HOST", measured: "KubeProxyNftables" },
} as const satisfies Record<ServiceHandling, { bpf: string; measured: MeasuredMode | undefined }>;

/** Each socket translation as the packet path's `enum socket_translation`. */
export const translations = {
  All: { bpf: "ALL" },
  HostOnly: { bpf: "HOST_ONLY" },
} as const satisfies Record<SocketTranslation, { bpf: string }>;

/** Values of FelixConfiguration's bpfExternalServiceMode. */
export const calicoReturnModes = ["DSR", "Tunnel"] as const;
export type CalicoReturnMode = (typeof calicoReturnModes)[number];

/** The return mode that FelixConfiguration's field asks for; without it, Calico's default. */
export function returnModeOf(calico: CalicoReturnMode | null | undefined): ReturnMode {
  return calico === "DSR" ? "dsr" : "tunnel";
}

/** The measured mode of a cluster with this handling. */
export function measuredModeOf(handling: ServiceHandling, returnMode: ReturnMode): MeasuredMode {
  return handlings[handling].measured ?? returnModes[returnMode].measured;
}

/** How a new connection to a Service is given its backend. Maglev: every node gives it the same one. */
export const backendSelections = ["Random", "Maglev"] as const;
export type BackendSelection = (typeof backendSelections)[number];

/** Annotations of Services for settings without a field in Kubernetes. */
export const serviceAnnotations = {
  /** A `CalicoReturnMode`, in place of the cluster's. */
  returnMode: "ebpf-dataplane.io/return-mode",
  /** A `BackendSelection`; absent: Random. */
  backendSelection: "ebpf-dataplane.io/backend-selection",
} as const;

/** Annotations of FelixConfiguration for settings without a field in Calico. */
export const annotations = {
  /** A `ServiceHandling`. */
  serviceHandling: "ebpf-dataplane.io/service-handling",
  /** A `SocketTranslation`. Calico's own field also tells TCP from UDP. */
  socketTranslation: "ebpf-dataplane.io/socket-translation",
  /** An `XdpMode`; absent: Disabled. Calico's xdpEnabled is about its iptables dataplane. */
  xdp: "ebpf-dataplane.io/xdp",
  /** Which externalIPs of Services are served: Allow or Deny; absent: all. */
  externalIps: "ebpf-dataplane.io/external-ips",
  /** The networks, separated by commas, to which Allow is limited. */
  externalIpNetworks: "ebpf-dataplane.io/external-ip-networks",
  /** Where node ports answer: `primary`, or networks with commas between them; absent: at every address of the nodes. */
  nodePortAddresses: "ebpf-dataplane.io/node-port-addresses",
} as const;
