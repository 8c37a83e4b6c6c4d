import { z } from "zod";
import { FAMILIES } from "../../model/address/address.ts";
import { ANY_RELEASE, isRelease } from "../release/kubernetes-release.ts";
import {
  addressIpv6Rule,
  addressRule,
  anyAddressRule,
  contains,
  firstAndLast,
  isIpv6,
  networksOverlap,
  podNetworkIpv6Rule,
  podNetworkRule,
  serviceNetworkIpv6Rule,
  serviceNetworkRule,
} from "../rules/addresses.ts";
import { type ClusterNetworks, networksFault, type SaidFamilies } from "../rules/families.ts";
import { type ListFault, machinesFault } from "../rules/machines.ts";
import { labMachineNameRule, labNameRule } from "../rules/names.ts";
import { LAB_NETWORK, LAB_NETWORK_IPV6, LAB_SWITCH, LAB_SWITCH_IPV6 } from "./defaults.ts";
import {
  addressIpv6In,
  gatewayOf,
  type LabSubnet,
  linkSchema,
  type Placed,
  subnetIpv6,
  subnetOf,
  subnetSchema,
  subnetsOf,
} from "./lab-network.ts";
import { familyFaults, subnetFaults } from "./lab-network-faults.ts";
import { ruled } from "./ruled.ts";

/** An IPv4 address that a machine of a lab can have. */
export function labAddressRule(value: string): string | undefined {
  const fault = addressRule(value);
  if (fault !== undefined) return fault;
  if (contains(LAB_NETWORK, value) && ![LAB_SWITCH, ...firstAndLast(LAB_NETWORK)].includes(value)) return undefined;
  return "from 172.31.1.2 to 172.31.1.254, the machines' network";
}

/** An IPv6 address that a machine of a lab can have. */
export function labAddressIpv6Rule(value: string): string | undefined {
  const fault = addressIpv6Rule(value);
  if (fault !== undefined) return fault;
  const taken = [LAB_SWITCH_IPV6, firstAndLast(LAB_NETWORK_IPV6)[0]];
  if (contains(LAB_NETWORK_IPV6, value) && !taken.includes(value)) return undefined;
  return `in the machines' network ${LAB_NETWORK_IPV6}, from ${LAB_SWITCH_IPV6.replace(/1$/, "2")}`;
}

/**
 * The IPv6 address of a machine: the given one, or one of its subnet with the last number of its IPv4 address
 * (172.31.1.8: fd00:172:31:1::8). With IPv6 alone it is the machine's only address.
 */
export function labAddressIpv6(machine: Placed, lab: { subnets?: LabSubnet[] | undefined } = {}): string {
  if (machine.addressIpv6 !== undefined) return machine.addressIpv6;
  if (isIpv6(machine.address)) return machine.address;
  const subnets = subnetsOf(lab);
  const subnet = (subnetOf(subnets, machine) ?? subnets[0]) as LabSubnet;
  return machine.role === "router" ? gatewayOf(subnetIpv6(subnet)) : addressIpv6In(subnet, machine.address);
}

/** A machine's address of its cluster's first family. */
export function firstAddress(lab: SaidFamilies & { subnets?: LabSubnet[] | undefined }, machine: Placed): string {
  return lab.ipFamilies?.[0] === "IPv6" ? labAddressIpv6(machine, lab) : machine.address;
}

const machineSchema = z.strictObject({
  name: ruled(labMachineNameRule),
  role: z.enum(["control-plane", "worker", "client", "router"]),
  /** Of IPv4; with IPv6 alone one of IPv6. */
  address: ruled(anyAddressRule),
  /** Left out: `labAddressIpv6`. */
  addressIpv6: ruled(addressIpv6Rule).optional(),
  /** Name of its subnet; left out: the one of its address. */
  subnet: z.string().optional(),
  /** Left out: as its subnet has it. */
  link: linkSchema.optional(),
});

/** What `lab up` reads: the lab that there shall be. */
export const labSchema = z
  .strictObject({
    name: ruled(labNameRule),
    kubernetesVersion: ruled((release) => (isRelease(release) ? undefined : ANY_RELEASE)),
    /** Those of each family that the cluster has. */
    podSubnet: ruled(podNetworkRule).optional(),
    serviceSubnet: ruled(serviceNetworkRule).optional(),
    podSubnetIpv6: ruled(podNetworkIpv6Rule).optional(),
    serviceSubnetIpv6: ruled(serviceNetworkIpv6Rule).optional(),
    /** The first one first; left out: IPv4, and IPv6 where there are networks of it. */
    ipFamilies: z.array(z.enum(FAMILIES)).optional(),
    /** Left out: one subnet, whose gateway is the switch. */
    subnets: z.array(subnetSchema).optional(),
    machines: z.array(machineSchema),
    /** Names of images in the cache to load on the nodes besides the cluster's own; left out or empty: all there are. */
    images: z.array(z.string()).default([]),
    /** Whether the nodes are given kube-proxy's image too; a lab's clusters do without. */
    kubeProxy: z.boolean().default(false),
  })
  .superRefine((spec, context) => {
    const refuse = (path: (string | number)[], allowed: string) =>
      context.addIssue({ code: "custom", path, message: `must be ${allowed}` });
    const families = networksFault(spec);
    const [fault] = families ? [families] : familyFaults(spec);
    if (fault) return refuse(fault.path, fault.allowed);
    for (const { path, allowed } of overlaps(spec)) refuse(path, allowed);
    const faults = subnetFaults(spec);
    for (const { path, allowed } of faults) refuse(path, allowed);
    if (faults.length > 0) return;
    for (const { path, allowed } of machinesNetworkFaults(spec)) refuse(path, allowed);
    const clash = machinesFault(
      spec.machines.map((machine) => ({ ...machine, addressIpv6: labAddressIpv6(machine, spec) })),
    );
    if (clash) refuse(["machines", ...clash.path], clash.allowed);
  });

const NETWORKS = ["podSubnet", "serviceSubnet", "podSubnetIpv6", "serviceSubnetIpv6"] as const;

/** Networks of pods and Services that overlap. */
function overlaps(spec: ClusterNetworks): ListFault[] {
  const pairs = [["podSubnet", "serviceSubnet"] as const, ["podSubnetIpv6", "serviceSubnetIpv6"] as const];
  return pairs.flatMap(([pods, services]) => {
    const [podNetwork, network] = [spec[pods], spec[services]];
    if (podNetwork === undefined || network === undefined || !networksOverlap(podNetwork, network)) return [];
    return [{ path: [pods], allowed: `apart from ${services} ${network}` }];
  });
}

/** Why the machines' networks conflict with the cluster's, or machines do not fit the only subnet. */
function machinesNetworkFaults(
  spec: SaidFamilies & ClusterNetworks & { subnets?: LabSubnet[] | undefined; machines: Placed[] },
): ListFault[] {
  const apart = NETWORKS.flatMap((field) =>
    subnetsOf(spec).flatMap((subnet, index) => {
      const own = field.endsWith("Ipv6") ? subnetIpv6(subnet) : subnet.cidr;
      const cidr = spec[field];
      if (cidr === undefined || !networksOverlap(cidr, own)) return [];
      const whose = spec.subnets === undefined ? "the machines' network" : `the network of subnets[${index}]`;
      return [{ path: [field], allowed: `apart from ${whose} ${own}` }];
    }),
  );
  if (spec.subnets !== undefined) return apart;
  const flat = spec.machines.flatMap(({ address, addressIpv6 }, index) =>
    [
      { field: "address", allowed: isIpv6(address) ? labAddressIpv6Rule(address) : labAddressRule(address) },
      { field: "addressIpv6", allowed: addressIpv6 === undefined ? undefined : labAddressIpv6Rule(addressIpv6) },
    ].flatMap(({ field, allowed }) => (allowed === undefined ? [] : [{ path: ["machines", index, field], allowed }])),
  );
  return [...apart, ...flat];
}

export type LabSpec = z.output<typeof labSchema>;
export type LabMachine = LabSpec["machines"][number];

/** The part of the output of `lab up` that a component reads, because it is not known before the cluster exists. */
export interface LabResult {
  /** Text of an administrator's kubeconfig for the loopback forwarder. */
  kubeconfig: string;
}
