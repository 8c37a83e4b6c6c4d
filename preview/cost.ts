import { z } from "zod";
import { compare, zoneOf } from "./declared/machines.ts";
import type { Resource } from "./resource.ts";

/** Resources with a cost, and their amount. No prices: they change. */
export interface CostItem {
  what: "instances" | "volumes" | "addresses" | "NAT gateways" | "load balancers" | "clusters";
  /** "t3.medium, spot, eu-central-1a". */
  kind: string;
  count: number;
  /** Volumes: total size. */
  gibibytes?: number;
}

const volumeSchema = z.object({ volumeSize: z.number().optional(), volumeType: z.string().default("gp2") });
const instanceSchema = z.object({
  instanceType: z.string().default("unknown type"),
  availabilityZone: z.string().optional(),
  associatePublicIpAddress: z.boolean().default(false),
  instanceMarketOptions: z.object({ marketType: z.string().optional() }).optional(),
  rootBlockDevice: volumeSchema.prefault({}),
  ebsBlockDevices: z.array(volumeSchema).default([]),
});
const ebsSchema = z.object({ size: z.number().optional(), type: z.string().default("gp2") });

const NAMED: Record<string, [CostItem["what"], string]> = {
  "aws:ec2/eip:Eip": ["addresses", "elastic"],
  "aws:ec2/natGateway:NatGateway": ["NAT gateways", "NAT gateway"],
  "aws:eks/cluster:Cluster": ["clusters", "EKS"],
  "aws:elb/loadBalancer:LoadBalancer": ["load balancers", "classic"],
};

const BALANCERS = ["aws:lb/loadBalancer:LoadBalancer", "aws:alb/loadBalancer:LoadBalancer"];

/** Counts resources with a cost, one entry per kind. */
export function costOf(resources: Resource[]): CostItem[] {
  const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
  const kept = resources.filter(({ change }) => change !== "delete");
  const items = kept.flatMap((resource) => itemsOf(resource, byUrn));
  const groups = Map.groupBy(items, ({ what, kind }) => `${ORDER.indexOf(what)} ${kind}`);
  return [...groups.keys()].sort(compare).flatMap((key) => {
    const group = groups.get(key) ?? [];
    const [first] = group;
    if (!first) return [];
    const gibibytes = group.reduce((sum, item) => sum + (item.gibibytes ?? 0), 0);
    const count = group.reduce((sum, item) => sum + item.count, 0);
    return [{ what: first.what, kind: first.kind, count, ...(first.gibibytes !== undefined && { gibibytes }) }];
  });
}

const ORDER: CostItem["what"][] = ["instances", "volumes", "addresses", "NAT gateways", "load balancers", "clusters"];

function itemsOf(resource: Resource, byUrn: ReadonlyMap<string, Resource>): CostItem[] {
  const { type, inputs } = resource;
  if (type === "aws:ec2/instance:Instance") return instanceItems(resource, byUrn);
  if (type === "aws:ebs/volume:Volume") {
    const { size, type: kind } = ebsSchema.parse(inputs);
    return [volume(size, kind)];
  }
  if (BALANCERS.includes(type)) return [one("load balancers", String(inputs.loadBalancerType ?? "application"))];
  if (type === "kubernetes:core/v1:Service" && (inputs.spec as { type?: string } | undefined)?.type === "LoadBalancer")
    return [one("load balancers", "of Services, created by the cluster's cloud controller")];
  const named = NAMED[type];
  return named ? [one(...named)] : [];
}

function instanceItems(resource: Resource, byUrn: ReadonlyMap<string, Resource>): CostItem[] {
  const instance = instanceSchema.parse(resource.inputs);
  const { instanceType, rootBlockDevice, ebsBlockDevices } = instance;
  const zone = instance.availabilityZone ?? zoneOf(resource, byUrn) ?? "zone chosen by AWS";
  const spot = instance.instanceMarketOptions?.marketType === "spot";
  const kind = [instanceType, ...(spot ? ["spot"] : []), zone].join(", ");
  const disks = [rootBlockDevice, ...ebsBlockDevices].map(({ volumeSize, volumeType }) =>
    volume(volumeSize, volumeType),
  );
  return [one("instances", kind), ...disks, ...(instance.associatePublicIpAddress ? [one("addresses", "public")] : [])];
}

const one = (what: CostItem["what"], kind: string): CostItem => ({ what, kind, count: 1 });

function volume(gibibytes: number | undefined, kind: string): CostItem {
  // The default size is the image's.
  if (gibibytes === undefined) return one("volumes", `${kind}, as large as the image`);
  return { ...one("volumes", kind), gibibytes };
}

/** "3 × t3.medium, eu-central-1a"; "4 × gp3, 56 GiB together". */
export function costInWords({ kind, count, gibibytes }: CostItem): string {
  return `${count} × ${kind}${gibibytes === undefined ? "" : `, ${gibibytes} GiB together`}`;
}
