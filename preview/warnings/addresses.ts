import { hostCidr, overlap, parseCidr } from "../../model/address/address.ts";
import type { Cluster, DataplaneSettings, Subnets } from "../declared/cluster.ts";
import type { Declared } from "../declared/declared.ts";
import type { Warning } from "./warning.ts";

/** A network or an address, and its display name. */
interface Named {
  name: string;
  cidr: string;
}

type Pool = DataplaneSettings["pools"][number];

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

/** The same networks are arguments of both a cluster and its dataplane, for each address family. */
function strays({ dataplane, subnets }: Cluster): Warning[] {
  if (!dataplane || !subnets) return [];
  const { pools, serviceSubnet, serviceSubnetIpv6 } = dataplane;
  return [
    // A dataplane names one also where a cluster has IPv6 alone and no Service has an address of it.
    ...(subnets.services === undefined ? [] : strayServices("serviceSubnet", serviceSubnet, subnets.services)),
    ...strayServices("serviceSubnetIpv6", serviceSubnetIpv6, subnets.servicesIpv6),
    ...pools.flatMap((pool) => strayPool(pool, subnets)),
    ...withoutIpv6(pools, subnets),
  ];
}

function strayServices(field: string, declared: string | undefined, allocated: string | undefined): Warning[] {
  if (declared === undefined || declared === allocated) return [];
  const from = allocated ?? "none: it has no IPv6";
  const next = allocated ? `set ${field} of Dataplane to ${allocated}` : `set ${field} of the cluster to ${declared}`;
  const what = `its ${field} is ${declared}, but the cluster allocates Service addresses from ${from}`;
  return [{ about: "Dataplane", what, next }];
}

function strayPool({ name, cidr }: Pool, { pods, podsIpv6 }: Subnets): Warning[] {
  const { family } = parseCidr(cidr);
  const [field, subnet] = family === "IPv6" ? ["podSubnetIpv6", podsIpv6] : ["podSubnet", pods];
  if (subnet !== undefined && overlap(parseCidr(cidr), parseCidr(subnet))) return [];
  const what = subnet
    ? `${cidr} is outside the cluster's ${field} ${subnet}, which the cluster's security groups and routes use`
    : `${cidr} is an ${family} network, but the cluster has no ${field}: its nodes have no ${family} addresses`;
  return [{ about: `IPPool ${name}`, what, next: `set ${field} of the cluster to a network that contains ${cidr}` }];
}

/** A dual-stack cluster gives Services IPv6 addresses, whether or not a component serves them. */
function withoutIpv6(pools: Pool[], { podsIpv6, servicesIpv6 }: Subnets): Warning[] {
  if (podsIpv6 === undefined || pools.some(({ cidr }) => parseCidr(cidr).family === "IPv6")) return [];
  const what = `the cluster is dual-stack, but no pool gives IPv6 addresses: pods have IPv4 addresses only, and Services are not reached at their addresses of ${servicesIpv6}`;
  return [
    {
      about: "Dataplane",
      what,
      next: `set serviceSubnetIpv6 of Dataplane, and add a pool of ${podsIpv6} to its ipPools`,
    },
  ];
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
