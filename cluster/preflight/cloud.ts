import type { PreflightPlan } from "../../components/documents/preflight.ts";
import type { ClusterFacts } from "./facts.ts";
import { type Finding, ok, warning } from "./finding.ts";

/** What a cloud does with packets whose source is not their sender's. */
const SOURCE_CHECKS: Record<string, { cloud: string; next: string }> = {
  aws: { cloud: "AWS", next: "turn the source/destination check of the nodes' interfaces off, or returnMode: tunnel" },
  gce: { cloud: "Google Cloud", next: "nodes with --can-ip-forward, or returnMode: tunnel" },
  azure: { cloud: "Azure", next: "IP forwarding on the nodes' interfaces, or returnMode: tunnel" },
  openstack: {
    cloud: "OpenStack",
    next: "port security off, or allowed address pairs, on the nodes' ports; or returnMode: tunnel",
  },
};

/** With direct returns a node answers with another node's address: who drops such packets, or never learns of them? */
export function judgeCloud({ nodes, services }: ClusterFacts, { returnMode }: PreflightPlan): Finding[] {
  const schemes = nodes.map(({ spec }) => /^(\w+):\/\//.exec(spec?.providerID ?? "")?.[1] ?? "");
  const checking = [...new Set(schemes)].flatMap((scheme) => SOURCE_CHECKS[scheme] ?? []);
  const balanced = services
    .filter(({ spec, status }) => spec?.type === "LoadBalancer" && (status?.loadBalancer?.ingress ?? []).length > 0)
    .map(({ metadata }) => `${metadata?.namespace}/${metadata?.name}`);
  const known = [...new Set(schemes)].filter(Boolean).join(", ") || "no cloud's nodes";
  if (returnMode === "tunnel")
    return [ok("cloud", `${known}; replies return through the node that clients connect to`)];
  const findings = [
    ...checking.map(({ cloud, next }) =>
      warning(
        "cloud",
        `${cloud} drops what a node sends with another's address, as direct returns do, unless told not to`,
        next,
      ),
    ),
    ...(balanced.length > 0
      ? [
          warning(
            "load balancer",
            `${balanced.length} services have one, like ${balanced[0]}: one that tracks connections (AWS NLB, Azure, Google) never sees direct returns`,
            "returnMode: tunnel, or externalTrafficPolicy: Local for these services",
          ),
        ]
      : []),
  ];
  return findings.length > 0 ? findings : [ok("cloud", `${known}; no service has a load balancer`)];
}
