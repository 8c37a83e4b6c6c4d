import type { V1Node } from "@kubernetes/client-node";
import type { PreflightPlan } from "../../components/documents/preflight.ts";
import { covers, familyOf, hostCidr, parseCidr } from "../../model/address/address.ts";
import { AGENT } from "../kube-proxy/find.ts";
import type { ClusterFacts } from "./facts.ts";
import { type Finding, ok, refused, warning } from "./finding.ts";

/** Overlapping networks, and pods with addresses from another network plugin. */
export function examineAddresses(facts: ClusterFacts, plan: PreflightPlan): Finding[] {
  const findings = [
    ...nodesInside(facts, plan),
    ...services(facts, plan),
    ...apiServer(plan),
    ...strangers(facts, plan),
  ];
  if (findings.length > 0) return findings;
  return [ok("addresses", `pods ${plan.podCidrs.join(", ")}, services ${plan.serviceSubnet}, nodes outside both`)];
}

function nodesInside({ nodes }: ClusterFacts, { podCidrs, serviceSubnet }: PreflightPlan): Finding[] {
  return nodes.flatMap((node) => {
    const inside = [...podCidrs, serviceSubnet].find((cidr) =>
      addressesOf(node).some((address) => within(cidr, address)),
    );
    if (!inside) return [];
    const next = inside === serviceSubnet ? "set serviceSubnet to the cluster's" : "choose another cidr in ipPools";
    return [refused("addresses", `its address lies inside ${inside}`, next, [node.metadata?.name ?? ""])];
  });
}

/** The API server allocates service addresses; a dataplane with another subnet would not recognize them. */
function services({ services }: ClusterFacts, { serviceSubnet, podCidrs }: PreflightPlan): Finding[] {
  const addresses = services.flatMap(({ metadata, spec }) => {
    const address = spec?.clusterIP ?? "";
    return isIpv4(address) ? [{ name: `${metadata?.namespace}/${metadata?.name}`, address }] : [];
  });
  const outside = addresses.find(({ address }) => !within(serviceSubnet, address));
  const pods = addresses.find(({ address }) => podCidrs.some((cidr) => within(cidr, address)));
  return [
    ...(outside
      ? [
          refused(
            "addresses",
            `service ${outside.name} has ${outside.address}, outside serviceSubnet ${serviceSubnet}`,
            "set serviceSubnet to the API server's --service-cluster-ip-range",
          ),
        ]
      : []),
    ...(pods
      ? [
          refused(
            "addresses",
            `service ${pods.name} has ${pods.address}, inside an IP pool`,
            "choose another cidr in ipPools",
          ),
        ]
      : []),
  ];
}

function apiServer({ apiServer, serviceSubnet }: PreflightPlan): Finding[] {
  if (!apiServer || !within(serviceSubnet, apiServer.host)) return [];
  const next = "use an address of the API server itself: Services work only once the agents run";
  return [refused("API server", `${apiServer.host} is a Service's address`, next)];
}

/** Pods with addresses from another plugin, or from a removed dataplane, have no network until they are re-created. */
function strangers({ pods, daemonSets }: ClusterFacts, { podCidrs }: PreflightPlan): Finding[] {
  const ours = daemonSets.some(({ metadata }) => metadata?.namespace === AGENT && metadata.name === AGENT);
  const strange = pods.filter(({ spec, status }) => {
    const address = status?.podIP ?? "";
    const running = status?.phase === "Running" && !spec?.hostNetwork && isIpv4(address);
    return running && !(ours && podCidrs.some((cidr) => within(cidr, address)));
  });
  if (strange.length === 0) return [];
  const [{ metadata } = {}] = strange;
  return [
    warning(
      "addresses",
      `${strange.length} pods have addresses from another network plugin, for example ${metadata?.namespace}/${metadata?.name}`,
      "delete them once the dataplane runs, so that they are re-created with its network",
    ),
  ];
}

function addressesOf({ status }: V1Node): string[] {
  return (status?.addresses ?? []).map(({ address }) => address).filter((text) => isIpv4(text));
}

function within(cidr: string, address: string): boolean {
  return isIpv4(address) && covers(parseCidr(cidr), hostCidr(address));
}

function isIpv4(text: string): boolean {
  return familyOf(text) === "IPv4";
}
