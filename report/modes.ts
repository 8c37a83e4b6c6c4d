import type { ComparedMode } from "./results/compare.ts";

/** Display names of service modes. */
export const modeNames: Record<ComparedMode, string> = {
  KubeProxyIptables: "kube-proxy, iptables",
  KubeProxyNftables: "kube-proxy, nftables",
  EbpfTunnel: "eBPF, tunnel",
  EbpfDsr: "eBPF, DSR",
  Direct: "no service",
};

/** Names that only some measurements use. */
const others: Record<string, string> = { Ebpf: "eBPF", Linux: "Linux", Floor: "machine to machine" };

/** Of a mode that may be one this version does not know, or that goes on with more, as in `Ebpf, MTU 1440`. */
export function modeName(mode: string | undefined): string {
  if (mode === undefined) return "as deployed";
  const known: Record<string, string> = { ...modeNames, ...others };
  return mode.replace(/^\w+/, (name) => known[name] ?? name);
}
