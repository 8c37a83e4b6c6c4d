import { ReturnMode, ServiceHandling } from "../../components/dataplane/args.ts";
import type { ComparedMode } from "../../report/results/compare.ts";

/** The configuration of a mode, and its expected behavior. */
export interface ModeFacts {
  /** What handles services. `Direct` uses no service. */
  handling: ServiceHandling;
  returnMode: ReturnMode;
  /** The source that the server sees: the client, or the entry node. */
  source: "client" | "entryNode";
  /** The path of replies. */
  reply: "direct" | "viaEntryNode";
}

const { Ebpf, KubeProxyIptables, KubeProxyNftables } = ServiceHandling;
const kubeProxy = { returnMode: ReturnMode.Dsr, source: "entryNode", reply: "viaEntryNode" } as const;

export const modeFacts: Record<ComparedMode, ModeFacts> = {
  KubeProxyIptables: { handling: KubeProxyIptables, ...kubeProxy },
  KubeProxyNftables: { handling: KubeProxyNftables, ...kubeProxy },
  EbpfTunnel: { handling: Ebpf, returnMode: ReturnMode.Tunnel, source: "client", reply: "viaEntryNode" },
  EbpfDsr: { handling: Ebpf, returnMode: ReturnMode.Dsr, source: "client", reply: "direct" },
  Direct: { handling: Ebpf, returnMode: ReturnMode.Dsr, source: "client", reply: "direct" },
};

/** Display names. */
export const modeNames: Record<ComparedMode, string> = {
  KubeProxyIptables: "kube-proxy (iptables)",
  KubeProxyNftables: "kube-proxy (nftables)",
  EbpfTunnel: "eBPF, tunnel",
  EbpfDsr: "eBPF, DSR",
  Direct: "no service (floor)",
};

/** Mean time of a new connection, microseconds, and ratios of this project's first experiment, on four virtual machines. */
export const seedFigures: Partial<Record<ComparedMode, number>> = {
  KubeProxyIptables: 1876,
  EbpfTunnel: 1814,
  EbpfDsr: 1595,
};
