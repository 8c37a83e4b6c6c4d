import type { PreflightPlan } from "../../components/documents/preflight.ts";
import type { ClusterFacts } from "./facts.ts";
import { type Finding, ok, warning } from "./finding.ts";

/** How clouds treat packets with a source address other than the sender's. */
const SOURCE_CHECKS: Record<string, { cloud: string; next: string }> = {
  aws: {
    cloud: "AWS",
    next: "turn off the source/destination check of the nodes' interfaces, or use returnMode: tunnel",
  },
  gce: { cloud: "Google Cloud", next: "create the nodes with --can-ip-forward, or use returnMode: tunnel" },
  azure: { cloud: "Azure", next: "turn on IP forwarding on the nodes' interfaces, or use returnMode: tunnel" },
  openstack: {
    cloud: "OpenStack",
    next: "turn off port security on the nodes' ports or set allowed address pairs, or use returnMode: tunnel",
  },
};

/** With DSR a node answers with another node's address: clouds that drop such packets, and load balancers that never see them. */
export function examineCloud({ nodes, services }: ClusterFacts, { returnMode }: PreflightPlan): Finding[] {
  const schemes = nodes.map(({ spec }) => /^(\w+):\/\//.exec(spec?.providerID ?? "")?.[1] ?? "");
  const checking = [...new Set(schemes)].flatMap((scheme) => SOURCE_CHECKS[scheme] ?? []);
  const balanced = services
    .filter(({ spec, status }) => spec?.type === "LoadBalancer" && (status?.loadBalancer?.ingress ?? []).length > 0)
    .map(({ metadata }) => `${metadata?.namespace}/${metadata?.name}`);
  const known = [...new Set(schemes)].filter(Boolean).join(", ") || "no cloud provider";
  if (returnMode === "tunnel") return [ok("cloud", `${known}; replies return through the entry node`)];
  const findings = [
    ...checking.map(({ cloud, next }) =>
      warning(
        "cloud",
        `${cloud} drops packets that a node sends with another node's address, as DSR does, unless configured otherwise`,
        next,
      ),
    ),
    ...(balanced.length > 0
      ? [
          warning(
            "load balancer",
            `${balanced.length} services have one, for example ${balanced[0]}: a load balancer that tracks connections (AWS NLB, Azure, Google) never sees DSR replies`,
            "use returnMode: tunnel, or externalTrafficPolicy: Local for these services",
          ),
        ]
      : []),
  ];
  return findings.length > 0 ? findings : [ok("cloud", `${known}; no service has a load balancer`)];
}
