import { z } from "zod";
import { labAddressIpv6 } from "../../components/documents/lab.ts";
import { subnetSchema } from "../../components/documents/lab-network.ts";
import { isIpv6 } from "../../components/rules/addresses.ts";
import type { Resource } from "../resource.ts";

/** A computer that the stack creates or names. */
export interface Machine {
  name: string;
  role: "controlPlane" | "worker" | "client";
  address?: string;
  addressIpv6?: string;
  /** URN of the component that creates it; absent: it already exists. */
  cluster?: string;
  /** EC2 only. */
  instance?: Instance;
}

export interface Instance {
  type: string;
  spot: boolean;
  zone?: string;
  sourceDestCheck: boolean;
  /** Names of its security groups. */
  securityGroups: string[];
}

const roles = { "control-plane": "controlPlane", worker: "worker", client: "client" } as const;
const roleSchema = z.enum(["control-plane", "worker", "client"]);

/** The document that `LocalCluster` passes to the lab. */
export const labSchema = z.object({
  podSubnet: z.string().optional(),
  serviceSubnet: z.string().optional(),
  podSubnetIpv6: z.string().optional(),
  serviceSubnetIpv6: z.string().optional(),
  subnets: z.array(subnetSchema).optional(),
  machines: z.array(
    z.object({
      name: z.string(),
      role: z.enum([...roleSchema.options, "router"]),
      address: z.string(),
      addressIpv6: z.string().optional(),
    }),
  ),
});

const instanceSchema = z.object({
  instanceType: z.string().default("unknown"),
  privateIp: z.string().optional(),
  availabilityZone: z.string().optional(),
  sourceDestCheck: z.boolean().default(true),
  instanceMarketOptions: z.object({ marketType: z.string().optional() }).optional(),
  tags: z.record(z.string(), z.string()).default({}),
});

const verificationSchema = z.object({
  clients: z.array(z.object({ name: z.string(), address: z.string() })).default([]),
});

/** Machines of labs and of EC2, and clients that are named only by a verification. */
export function machinesOf(resources: Resource[]): Machine[] {
  const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
  const made = resources.flatMap((resource) => [...labMachines(resource), ...ec2Machine(resource, byUrn)]);
  const named = resources
    .filter(({ type }) => type === "ebpf-dataplane:index:SourceIpVerification")
    .flatMap(({ inputs }) => verificationSchema.safeParse(inputs).data?.clients ?? [])
    .filter(({ name }) => !made.some((machine) => machine.name === name));
  const clients = new Map(named.map((client) => [client.name, { ...client, role: "client" as const }]));
  return [...made, ...clients.values()].sort((one, other) => rank(one) - rank(other) || compare(one.name, other.name));
}

function labMachines({ type, inputs, parent }: Resource): Machine[] {
  if (type !== "command:local:Command" || !parent.includes("LocalCluster::")) return [];
  const { machines = [], podSubnetIpv6, subnets } = labOf(inputs) ?? {};
  return machines.flatMap((machine) => {
    const { name, role, address } = machine;
    if (role === "router") return []; // it is part of the network
    const both = podSubnetIpv6 !== undefined && !isIpv6(address);
    const addressIpv6 = both ? { addressIpv6: labAddressIpv6(machine, { subnets }) } : {};
    return [{ name, role: roles[role], address, ...addressIpv6, cluster: parent }];
  });
}

/** The input document of a lab's command. */
export function labOf(inputs: Record<string, unknown>): z.output<typeof labSchema> | undefined {
  try {
    return labSchema.safeParse(JSON.parse(String(inputs.stdin))).data;
  } catch {
    return undefined;
  }
}

function ec2Machine(resource: Resource, byUrn: ReadonlyMap<string, Resource>): Machine[] {
  if (resource.type !== "aws:ec2/instance:Instance") return [];
  const { tags, privateIp, ...instance } = instanceSchema.parse(resource.inputs);
  const role = roleSchema.safeParse(tags["ebpf-dataplane/role"]).data;
  const name = tags["ebpf-dataplane/machine"];
  // An instance without our tags: nothing but its cost is known.
  if (!role || !name) return [];
  const zone = instance.availabilityZone ?? zoneOf(resource, byUrn);
  const groups = (resource.references.vpcSecurityGroupIds ?? []).flatMap((urn) => byUrn.get(urn)?.name ?? []);
  const cluster = clusterOf(resource, byUrn);
  return [
    {
      name,
      role: roles[role],
      ...(privateIp && { address: privateIp }),
      ...(cluster && { cluster }),
      instance: {
        type: instance.instanceType,
        spot: instance.instanceMarketOptions?.marketType === "spot",
        ...(zone && { zone }),
        sourceDestCheck: instance.sourceDestCheck,
        securityGroups: groups,
      },
    },
  ];
}

/** The zone of an instance's subnet. */
export function zoneOf({ references }: Resource, byUrn: ReadonlyMap<string, Resource>): string | undefined {
  const [subnet] = (references.subnetId ?? []).flatMap((urn) => byUrn.get(urn) ?? []);
  const zone = subnet?.inputs.availabilityZone;
  return typeof zone === "string" ? zone : undefined;
}

/** The outermost component of an instance, so that a cluster's clients belong to the cluster. */
function clusterOf(resource: Resource, byUrn: ReadonlyMap<string, Resource>): string | undefined {
  let outermost: Resource | undefined;
  for (let one = byUrn.get(resource.parent); one; one = byUrn.get(one.parent)) outermost = one;
  return outermost?.urn;
}

const order = ["controlPlane", "worker", "client"];
const rank = ({ role }: Machine): number => order.indexOf(role);

/** By code points, independent of the locale. */
export const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
