import { hostCidr, overlap, parseCidr } from "../../model/address/address.ts";
import type { Cluster } from "../declared/cluster.ts";
import type { Declared } from "../declared/declared.ts";
import type { Warning } from "./warning.ts";

/** A network or an address, and its display name. */
interface Named {
  name: string;
  cidr: string;
}

/** RFC 5737: networks for documentation, never in use. */
const DOCUMENTATION = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"];

/**
 * Overlapping networks of different components. Overlaps within one component (a cluster's pods, services
 * and VPC; a dataplane's pools and services) are refused by the component.
 */
export function addressWarnings(declared: Declared): Warning[] {
  const vpcs = declared.resources
    .filter(({ type, inputs }) => type === "aws:ec2/vpc:Vpc" && typeof inputs.cidrBlock === "string")
    .map(({ name, inputs }) => ({ name: `VPC ${name}`, cidr: String(inputs.cidrBlock) }));
  return [
    ...declared.clusters.flatMap((cluster) => [...overlaps(cluster, vpcs), ...strays(cluster)]),
    ...examples(declared),
  ];
}

function overlaps({ dataplane, nodes, clients }: Cluster, vpcs: Named[]): Warning[] {
  if (!dataplane) return [];
  const pools = dataplane.pools.map(({ name, cidr }) => ({ name: `IPPool ${name}`, cidr }));
  const services = dataplane.serviceSubnet ? [{ name: "the Services' network", cidr: dataplane.serviceSubnet }] : [];
  const machines = [...nodes, ...clients].flatMap(({ name, role, address }) =>
    address ? [{ name: `${role === "client" ? "client" : "node"} ${name}`, cidr: hostCidr(address).text }] : [],
  );
  const inside = [...pools, ...services];
  const pairs = [
    ...inside.flatMap((one, index) => inside.slice(index + 1).map((other) => [one, other] as const)),
    ...inside.flatMap((one) => [...vpcs, ...machines].map((other) => [one, other] as const)),
  ];
  return pairs
    .filter(([one, other]) => overlap(parseCidr(one.cidr), parseCidr(other.cidr)))
    .map(([one, other]) => ({
      about: one.name,
      what: `${one.cidr} overlaps ${other.name} (${other.cidr}): nodes would confuse packets for the one with packets for the other`,
      next: `give ${one.name} a network outside ${other.cidr}`,
    }));
}

/** The same networks are arguments of both a cluster and its dataplane. */
function strays({ dataplane, subnets }: Cluster): Warning[] {
  if (!dataplane || !subnets) return [];
  const { pools, serviceSubnet } = dataplane;
  const warnings: Warning[] = [];
  if (serviceSubnet !== undefined && serviceSubnet !== subnets.services) {
    warnings.push({
      about: "Dataplane",
      what: `its serviceSubnet is ${serviceSubnet}, but the cluster allocates Service addresses from ${subnets.services}`,
      next: `set serviceSubnet of Dataplane to ${subnets.services}`,
    });
  }
  for (const { name, cidr } of pools) {
    if (overlap(parseCidr(cidr), parseCidr(subnets.pods))) continue;
    warnings.push({
      about: `IPPool ${name}`,
      what: `${cidr} is outside the cluster's podSubnet ${subnets.pods}, which the cluster's security groups and routes use`,
      next: `set podSubnet of the cluster to a network that contains ${cidr}`,
    });
  }
  return warnings;
}

function examples({ resources }: Declared): Warning[] {
  const rules = resources.filter(({ type }) => type.endsWith(":SecurityGroupIngressRule"));
  const found = new Set(
    rules.flatMap(({ inputs: { cidrIpv4 } }) =>
      typeof cidrIpv4 === "string" && DOCUMENTATION.some((block) => overlap(parseCidr(block), parseCidr(cidrIpv4)))
        ? [cidrIpv4]
        : [],
    ),
  );
  return [...found].sort().map((cidr) => ({
    about: "security groups",
    what: `${cidr} is a documentation network (RFC 5737), so no client has such an address`,
    next: "replace it with the public address of the computer that runs the deployment (adminCidrs)",
  }));
}
