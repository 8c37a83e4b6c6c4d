import type { NodeReport } from "../../agent/features/report.ts";
import type { PreflightPlan } from "../../components/documents/preflight.ts";
import { mtuWithinEncryption, overheadOf } from "../../model/pool/encapsulation.ts";
import type { ClusterFacts } from "./facts.ts";
import { type Finding, ok, refused, warning } from "./finding.ts";

/** Kubernetes' default, used when the API server's arguments are not visible. */
const NODE_PORTS = { first: 30_000, last: 32_767, said: false };

/** Packet sizes and ports. */
export function examineNetwork(facts: ClusterFacts, plan: PreflightPlan): Finding[] {
  const reports = [...facts.reports].flatMap(([node, report]) =>
    typeof report === "string" ? [] : [{ node, report }],
  );
  return [...mtu(reports, plan), ...nodePorts(facts, reports)];
}

interface Reported {
  node: string;
  report: NodeReport;
}

function mtu(reports: Reported[], plan: PreflightPlan): Finding[] {
  const sizes = [...new Set(reports.map(({ report }) => report.mtu))].sort((one, other) => one - other);
  const [smallest] = sizes;
  if (smallest === undefined) return [];
  const without = reports.filter(({ report }) => report.mtu === 0).map(({ node }) => node);
  if (without.length > 0)
    return [refused("MTU", "no interface has the node's address", "check the Node object's InternalIP", without)];
  if (plan.mtu !== undefined && plan.mtu > smallest) {
    const small = reports.filter(({ report }) => report.mtu < (plan.mtu ?? 0)).map(({ node }) => node);
    return [
      refused(
        "MTU",
        `its uplink has ${smallest}, less than the declared mtu of ${plan.mtu}`,
        `set mtu: ${smallest}, or omit it`,
        small,
      ),
    ];
  }
  if (sizes.length > 1 && plan.mtu === undefined)
    return [
      warning(
        "MTU",
        `nodes differ: ${sizes.join(", ")}`,
        `set mtu: ${smallest}, so that no node sends packets that are too large for another`,
      ),
    ];
  const between = plan.mtu ?? smallest;
  const encrypts = plan.encryption === "WireGuard";
  const forPods = (encrypts ? mtuWithinEncryption(between, "IPv4") : between) - overheadOf("VXLAN", "IPv4");
  return [ok("MTU", `${between} between nodes, ${forPods} for pods behind VXLAN${encrypts ? " and WireGuard" : ""}`)];
}

function nodePorts(facts: ClusterFacts, reports: Reported[]): Finding[] {
  const { first, last, said } = rangeOf(facts);
  const range = `${first}-${last}${said ? "" : " (Kubernetes' default; the API server does not show its own)"}`;
  const clash = reports.filter(({ report: { localPorts } }) => localPorts[0] <= last && localPorts[1] >= first);
  if (clash.length === 0) return [ok("node ports", range)];
  const [{ report }] = clash as [Reported];
  return [
    warning(
      "node ports",
      `${range}: the node's own connections use ports ${report.localPorts.join("-")}, and would be mistaken for clients of a service`,
      `sysctl net.ipv4.ip_local_port_range="${last + 1} 60999" on the nodes`,
      clash.map(({ node }) => node),
    ),
  ];
}

function rangeOf({ pods }: ClusterFacts) {
  const words = pods.flatMap(({ metadata, spec }) => {
    if (metadata?.labels?.component !== "kube-apiserver") return [];
    return (spec?.containers ?? []).flatMap(({ command = [], args = [] }) => [...command, ...args]);
  });
  if (words.length === 0) return NODE_PORTS;
  const [, first, last] =
    /^--service-node-port-range=(\d+)-(\d+)$/.exec(words.find((word) => word.includes("node-port-range")) ?? "") ?? [];
  return first && last ? { first: Number(first), last: Number(last), said: true } : { ...NODE_PORTS, said: true };
}
