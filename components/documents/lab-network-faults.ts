// Rules for the subnets of a lab together with the machines in them.
import { addressAt, parseCidr, sizeOf } from "../../model/address/address.ts";
import { contains, isIpv6, networksOverlap } from "../rules/addresses.ts";
import { isIpv6Alone, type SaidFamilies } from "../rules/families.ts";
import type { ListFault } from "../rules/machines.ts";
import { gatewayOf, isMachineAddress, type LabSubnet, type Placed, subnetIpv6, subnetOf } from "./lab-network.ts";

interface NetworkSpec {
  subnets?: LabSubnet[] | undefined;
  machines: (Placed & { name: string })[];
}

/** Addresses and networks of machines that do not belong to the cluster's families. A machine with both families has its IPv4 address as
 * `address`. */
export function familyFaults(spec: NetworkSpec & SaidFamilies): ListFault[] {
  const alone = isIpv6Alone(spec);
  const because = 'because ipFamilies is ["IPv6"]';
  const [address, cidr] = alone
    ? [`an IPv6 address like fd00:172:31:1::8, ${because}`, `an IPv6 network of /64, ${because}`]
    : ["an IPv4 address like 172.31.1.8", "an IPv4 network from /24 to /29"];
  const faultsIn = (list: string, one: object, index: number, [first, second, allowed]: [string, string, string]) => {
    const given = one as Record<string, string | undefined>;
    if (isIpv6(given[first] ?? "") !== alone) return [{ path: [list, index, first], allowed }];
    if (!alone || given[second] === undefined) return [];
    return [{ path: [list, index, second], allowed: `left out, ${because}: ${first} has it` }];
  };
  return [
    ...(spec.subnets ?? []).flatMap((one, index) => faultsIn("subnets", one, index, ["cidr", "cidrIpv6", cidr])),
    ...spec.machines.flatMap((one, index) => faultsIn("machines", one, index, ["address", "addressIpv6", address])),
  ];
}

/** Why machines cannot be in these subnets, or in the only subnet of a lab that declares none. */
export function subnetFaults({ subnets, machines }: NetworkSpec): ListFault[] {
  if (subnets === undefined) return flatFaults(machines);
  if (subnets.length === 0) return [{ path: ["subnets"], allowed: "a list of at least one subnet, or left out" }];
  const faults = [...apartFaults(subnets), ...routerFaults(subnets, machines)];
  const placed = machines.flatMap((machine, index) => {
    const fault = placeFault(subnets, machine);
    return fault ? [{ ...fault, path: ["machines", index, ...fault.path] }] : [];
  });
  return [...faults, ...placed];
}

/** Without declared subnets there is no other subnet to route to, and no name for the only one. */
function flatFaults(machines: Placed[]): ListFault[] {
  return machines.flatMap(({ role, subnet }, index): ListFault[] => {
    if (role === "router")
      return [
        {
          path: ["machines", index, "role"],
          allowed: '"control-plane", "worker" or "client": a router needs "subnets"',
        },
      ];
    return subnet === undefined
      ? []
      : [{ path: ["machines", index, "subnet"], allowed: 'left out, or the name of one of "subnets"' }];
  });
}

function apartFaults(subnets: LabSubnet[]): ListFault[] {
  return subnets.flatMap((subnet, index) =>
    subnets.slice(0, index).flatMap((other, before): ListFault[] => {
      const refused = (field: string, allowed: string) => [{ path: ["subnets", index, field], allowed }];
      if (subnet.name === other.name) return refused("name", `different from subnets[${before}].name`);
      if (networksOverlap(subnet.cidr, other.cidr))
        return refused("cidr", `apart from subnets[${before}].cidr ${other.cidr}`);
      if (networksOverlap(subnetIpv6(subnet), subnetIpv6(other)))
        return refused(
          "cidrIpv6",
          `apart from the IPv6 network ${subnetIpv6(other)} of subnets[${before}]; without one it is ${subnetIpv6({ ...subnet, cidrIpv6: undefined })}`,
        );
      return [];
    }),
  );
}

function routerFaults(subnets: LabSubnet[], machines: Placed[]): ListFault[] {
  const routers = machines.flatMap(({ role }, index) => (role === "router" ? [index] : []));
  if (routers.length > 1)
    return [{ path: ["machines", routers[1] as number, "role"], allowed: "another one: a lab has one router" }];
  if (routers.length === 1 || subnets.length === 1) return [];
  const allowed = `a list with one machine of the role "router", like { name: "router", role: "router", address: "${gatewayOf(subnets[0]?.cidr as string)}" }, because the lab has ${subnets.length} subnets`;
  return [{ path: ["machines"], allowed }];
}

function placeFault(subnets: LabSubnet[], machine: Placed): ListFault | undefined {
  const known = subnets.map(({ name, cidr }) => `${name} (${cidr})`).join(", ");
  if (machine.role === "router") return routerFault(subnets, machine);
  const subnet = subnetOf(subnets, machine);
  if (!subnet && machine.subnet !== undefined) return { path: ["subnet"], allowed: `one of the subnets: ${known}` };
  if (!subnet) return { path: ["address"], allowed: `in one of the subnets: ${known}` };
  const { name, cidr } = subnet;
  if (!isMachineAddress(cidr, machine.address))
    return { path: ["address"], allowed: `${rangeOf(cidr)}, in subnet ${name}` };
  const ipv6 = subnetIpv6(subnet);
  const { addressIpv6 } = machine;
  if (addressIpv6 === undefined || (contains(ipv6, addressIpv6) && !firstTwo(ipv6).includes(addressIpv6)))
    return undefined;
  return {
    path: ["addressIpv6"],
    allowed: `in the IPv6 network ${ipv6} of subnet ${name}, from ${addressAt(parseCidr(ipv6), 2n)}`,
  };
}

/** A router has the gateways' addresses in its subnets. */
function routerFault(subnets: LabSubnet[], { address, addressIpv6, subnet }: Placed): ListFault | undefined {
  const gateways = subnets.map(({ cidr }) => gatewayOf(cidr));
  if (!gateways.includes(address))
    return {
      path: ["address"],
      allowed: `the first address of a subnet, which is its gateway: ${gateways.join(" or ")}`,
    };
  if (subnet !== undefined) return { path: ["subnet"], allowed: "left out for a router, which is in every subnet" };
  if (addressIpv6 !== undefined)
    return { path: ["addressIpv6"], allowed: "left out for a router, which has the first address of each subnet" };
  return undefined;
}

const firstTwo = (cidr: string): string[] => [0n, 1n].map((index) => addressAt(parseCidr(cidr), index));

function rangeOf(cidr: string): string {
  const network = parseCidr(cidr);
  return `from ${addressAt(network, 2n)} to ${addressAt(network, sizeOf(network) - 2n)}`;
}
