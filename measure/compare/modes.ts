import { ReturnMode, ServiceHandling } from "../../components/dataplane/args.ts";
import type { ComparedMode } from "../../report/results/compare.ts";

/** What is asked of the cluster for a mode, and what the mode must then show. */
export interface ModeFacts {
  /** Who handles services. `Direct` uses none: whoever does, does nothing for it. */
  handling: ServiceHandling;
  returnMode: ReturnMode;
  /** Whom the server sees: the client, or the node that the client connected to. */
  source: "client" | "entryNode";
  /** How replies travel. */
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

/** As a person says it. */
export const modeNames: Record<ComparedMode, string> = {
  KubeProxyIptables: "kube-proxy (iptables)",
  KubeProxyNftables: "kube-proxy (nftables)",
  EbpfTunnel: "eBPF, tunnel",
  EbpfDsr: "eBPF, DSR",
  Direct: "no service (floor)",
};

/** Mean time of a new connection, microseconds, and ratios of the experiment that this project began with: four virtual machines. */
export const seedFigures: Partial<Record<ComparedMode, number>> = {
  KubeProxyIptables: 1876,
  EbpfTunnel: 1814,
  EbpfDsr: 1595,
};
