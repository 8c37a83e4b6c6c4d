/** Who handles services while a mode is measured. `Direct` is the floor: client to pod without any service. */
export const serviceHandlings = ["KubeProxyIptables", "KubeProxyNftables", "EbpfTunnel", "EbpfDsr", "Direct"] as const;
