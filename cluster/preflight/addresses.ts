import type { V1Node } from "@kubernetes/client-node";
import { AGENT } from "../../components/dataplane/names.ts";
import type { PreflightPlan } from "../../components/documents/preflight.ts";
import { covers, FAMILIES, type Family, familyOf, hostCidr, overlap, parseCidr } from "../../model/address/address.ts";
import type { ClusterFacts } from "./facts.ts";
import { type Finding, ok, refused, warning } from "./finding.ts";

/** Overlapping networks, also with nodes that get no agent, and pods with addresses from another network plugin. */
export function examineAddresses(facts: ClusterFacts, plan: PreflightPlan, everyNode: V1Node[]): Finding[] {
  const findings = [
    ...nodesInside(everyNode, plan),
    ...nodesWithoutIpv4(facts, plan),
    ...nodesWithoutIpv6(facts, plan),
    ...nodesWithoutPodCidrs(facts, plan),
    ...services(facts, plan),
    ...servicesWithoutIpv6(facts, plan),
    ...apiServer(plan),
    ...strangers(facts, plan),
  ];
  if (findings.length > 0) return findings;
  const networks = serviceNetworks(plan).map(({ cidr }) => cidr);
  return [
    ok("addresses", `pods ${plan.podCidrs.join(", ")}, services ${networks.join(", ")}, nodes outside all of them`),
  ];
}

/** The networks of Services, by the argument that names them. */
function serviceNetworks({ serviceSubnet, serviceSubnetIpv6 }: PreflightPlan): { field: string; cidr: string }[] {
  const first = { field: "serviceSubnet", cidr: serviceSubnet };
  return serviceSubnetIpv6 === undefined ? [first] : [first, { field: "serviceSubnetIpv6", cidr: serviceSubnetIpv6 }];
}

function nodesInside(nodes: V1Node[], plan: PreflightPlan): Finding[] {
  const networks = [...plan.podCidrs.map((cidr) => ({ field: "", cidr })), ...serviceNetworks(plan)];
  return nodes.flatMap((node) => {
    const inside = networks.find(({ cidr }) => addressesOf(node).some((address) => contains(cidr, address)));
    if (!inside) return [];
    const next = inside.field ? `set ${inside.field} to the cluster's` : "choose another cidr in ipPools";
    return [refused("addresses", `its address lies inside ${inside.cidr}`, next, [node.metadata?.name ?? ""])];
  });
}

/** Nodes without an InternalIP of the family. */
function nodesWithout(family: Family, nodes: V1Node[]): V1Node[] {
  return nodes.filter(({ status }) =>
    (status?.addresses ?? []).every(({ type, address }) => type !== "InternalIP" || familyOf(address) !== family),
  );
}

/** Tunnels use IPv4 where a node has it; nodes with IPv6 alone are among themselves, and their pods have IPv6 alone. */
function nodesWithoutIpv4({ nodes }: ClusterFacts, { podCidrs }: PreflightPlan): Finding[] {
  const withoutAny = nodesWithout("IPv6", nodes);
  const lacking = nodesWithout("IPv4", nodes).filter((node) => !withoutAny.includes(node));
  const names = lacking.map(({ metadata }) => metadata?.name ?? "");
  const pool = podCidrs.find((cidr) => parseCidr(cidr).family === "IPv4");
  if (lacking.length === 0) return [];
  if (lacking.length < nodes.length)
    return [
      refused(
        "addresses",
        "has no IPv4 InternalIP, but other nodes have: tunnels between nodes use IPv4 then",
        "give kubelet an IPv4 address too (--node-ip)",
        names,
      ),
    ];
  if (pool === undefined) return [];
  const found = `has no IPv4 InternalIP, so its pods cannot have addresses of ${pool}`;
  return [refused("addresses", found, "leave IPv4 networks out of ipPools, or give kubelet an IPv4 address", names)];
}

/** Kubelet reaches its pods from an address of the same family. */
function nodesWithoutIpv6({ nodes }: ClusterFacts, { podCidrs }: PreflightPlan): Finding[] {
  const pool = podCidrs.find((cidr) => parseCidr(cidr).family === "IPv6");
  const lacking = nodesWithout("IPv6", nodes);
  if (pool === undefined || lacking.length === 0) return [];
  return [
    warning(
      "addresses",
      `has no IPv6 InternalIP: its pods have no address of ${pool}`,
      "give kubelet addresses of both families (--node-ip)",
      lacking.map(({ metadata }) => metadata?.name ?? ""),
    ),
  ];
}

/** With `ipam: HostLocal` a node's pods have addresses of its own networks, which are parts of the pools. */
function nodesWithoutPodCidrs({ nodes }: ClusterFacts, { ipam, podCidrs }: PreflightPlan): Finding[] {
  if (ipam !== "HostLocal") return [];
  const pools = podCidrs.map(parseCidr);
  return FAMILIES.flatMap((family) => {
    if (!pools.some((pool) => pool.family === family)) return [];
    const given = nodes.map(({ metadata, spec }) => ({
      name: metadata?.name ?? "",
      networks: (spec?.podCIDRs ?? []).map(parseCidr).filter((cidr) => cidr.family === family),
    }));
    const without = given.filter(({ networks }) => networks.length === 0).map(({ name }) => name);
    const next = "set --allocate-node-cidrs and --cluster-cidr of the controller manager, or ipam Pools";
    const outside = given.flatMap(({ name, networks }) => {
      const cidr = networks.find((network) => !pools.some((pool) => overlap(pool, network)));
      return cidr
        ? [refused("addresses", `${cidr.text} of its spec.podCIDRs is in no pool`, "add it to ipPools", [name])]
        : [];
    });
    if (without.length === 0) return outside;
    return [
      ...outside,
      refused("addresses", `has no spec.podCIDRs of ${family}, which ipam HostLocal gives to pods`, next, without),
    ];
  });
}

/** The API server allocates service addresses; a dataplane with another subnet would not recognize them. */
function services(facts: ClusterFacts, plan: PreflightPlan): Finding[] {
  const addresses = addressesOfServices(facts);
  const pods = addresses.find(({ address }) => plan.podCidrs.some((cidr) => contains(cidr, address)));
  const outside = serviceNetworks(plan).flatMap(({ field, cidr }) => {
    const { family } = parseCidr(cidr);
    const other = addresses.find(({ address }) => familyOf(address) === family && !contains(cidr, address));
    if (!other) return [];
    const found = `service ${other.name} has ${other.address}, outside ${field} ${cidr}`;
    return [refused("addresses", found, `set ${field} to the API server's --service-cluster-ip-range`)];
  });
  return [
    ...outside,
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

/** A dual-stack cluster whose dataplane is given IPv4 only. */
function servicesWithoutIpv6(facts: ClusterFacts, { serviceSubnetIpv6 }: PreflightPlan): Finding[] {
  const first = addressesOfServices(facts).find(({ address }) => familyOf(address) === "IPv6");
  if (serviceSubnetIpv6 !== undefined || first === undefined) return [];
  return [
    warning(
      "addresses",
      `service ${first.name} has ${first.address}, which pods without IPv6 addresses do not reach`,
      "set serviceSubnetIpv6, and add an IPv6 pool to ipPools",
    ),
  ];
}

function addressesOfServices({ services }: ClusterFacts): { name: string; address: string }[] {
  return services.flatMap(({ metadata, spec }) => {
    const addresses = spec?.clusterIPs ?? [spec?.clusterIP ?? ""];
    const name = `${metadata?.namespace}/${metadata?.name}`;
    return addresses.filter(isAddress).map((address) => ({ name, address }));
  });
}

function apiServer(plan: PreflightPlan): Finding[] {
  const { apiServer } = plan;
  if (!apiServer || !serviceNetworks(plan).some(({ cidr }) => contains(cidr, apiServer.host))) return [];
  const next = "use an address of the API server itself: Services work only once the agents run";
  return [refused("API server", `${apiServer.host} is a Service's address`, next)];
}

/** Pods with addresses from another plugin, or from a removed dataplane, have no network until they are re-created. */
function strangers({ pods, daemonSets, agentNamespace }: ClusterFacts, { podCidrs }: PreflightPlan): Finding[] {
  const ours = daemonSets.some(({ metadata }) => metadata?.namespace === agentNamespace && metadata.name === AGENT);
  const strange = pods.filter(({ spec, status }) => {
    const address = status?.podIP ?? "";
    const running = status?.phase === "Running" && !spec?.hostNetwork && isAddress(address);
    return running && !(ours && podCidrs.some((cidr) => contains(cidr, address)));
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
  return (status?.addresses ?? []).map(({ address }) => address).filter(isAddress);
}

function contains(cidr: string, address: string): boolean {
  return isAddress(address) && covers(parseCidr(cidr), hostCidr(address));
}

function isAddress(text: string): boolean {
  return familyOf(text) !== undefined;
}
