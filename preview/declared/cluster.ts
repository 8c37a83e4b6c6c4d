import { z } from "zod";
import { AGENT } from "../../components/dataplane/names.ts";
import { SETTINGS_FILE } from "../../components/documents/agent-settings.ts";
import { clusterNetworks } from "../../components/documents/cluster-networks.ts";
import { FAMILIES } from "../../model/address/address.ts";
import { poolsInForce } from "../../model/encryption/encryption.ts";
import { modeOf } from "../../model/mode/configuration.ts";
import { type CalicoReturnMode, returnModes, type ServiceHandling, type XdpMode } from "../../model/mode/mode.ts";
import { felixConfiguration, ipPool } from "../../model/objects/calico.ts";
import { kinds } from "../../model/objects/kinds.ts";
import { type Encapsulation, type EncapsulationMode, encapsulationOf } from "../../model/pool/encapsulation.ts";
import { isWithin, type Resource } from "../resource.ts";
import { labOf, type Machine } from "./machines.ts";
import { isOf, type WrittenObject } from "./objects.ts";

/** A Kubernetes cluster as the stack declares it: the objects of one provider. */
export interface Cluster {
  /** The provider's name; "" is the cluster that kubectl would use. */
  name: string;
  /** local: a lab on this computer. aws: EC2 instances. existing: not created by the stack. */
  kind: "local" | "aws" | "existing";
  objects: WrittenObject[];
  nodes: Machine[];
  clients: Machine[];
  /** Undefined: the stack does not declare this dataplane here. */
  dataplane?: DataplaneSettings;
  /** The cluster's own networks; absent: not known. */
  subnets?: Subnets;
}

/** A cluster's own networks, of the families that it has. */
export interface Subnets {
  pods?: string | undefined;
  services?: string | undefined;
  podsIpv6?: string | undefined;
  servicesIpv6?: string | undefined;
}

export interface DataplaneSettings {
  returnMode: CalicoReturnMode;
  serviceHandling: ServiceHandling;
  xdp: XdpMode;
  pools: { name: string; cidr: string; encapsulation: Encapsulation; mode: EncapsulationMode }[];
  serviceSubnet?: string;
  serviceSubnetIpv6?: string;
  mtu?: number;
  image?: string;
}

const settingsSchema = z.object({
  serviceSubnet: z.string().optional(),
  serviceSubnetIpv6: z.string().optional(),
  mtu: z.number().optional(),
});

/** The networks of an `AwsCluster`, as it is declared. */
const clusterSchema = z.object({
  ipFamilies: z.array(z.enum(FAMILIES)).optional(),
  podSubnet: z.coerce.string().optional(),
  serviceSubnet: z.coerce.string().optional(),
  podSubnetIpv6: z.string().optional(),
  serviceSubnetIpv6: z.string().optional(),
});

/** One cluster for each Kubernetes provider in use. */
export function clustersOf(resources: Resource[], machines: Machine[]): Cluster[] {
  const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
  const objects = resources.filter(({ type }) => type.startsWith("kubernetes:"));
  const byProvider = Map.groupBy(objects, ({ provider }) => provider.split("::").slice(0, -1).join("::"));
  return [...byProvider].map(([urn, declared]) => {
    const provider = byUrn.get(urn);
    const from = provider ? madeBy(provider, resources, byUrn) : undefined;
    const own = machines.filter(({ cluster }) => cluster !== undefined && cluster === from?.urn);
    const written = declared.map(({ inputs }) => inputs as WrittenObject);
    const subnets = from && subnetsOf(from, resources);
    const dataplane = dataplaneOf(written);
    return {
      name: provider?.name ?? "",
      kind: kindOf(from),
      objects: written,
      nodes: own.filter(({ role }) => role !== "client"),
      clients: machines.filter(
        ({ role, cluster }) => role === "client" && (cluster === undefined || cluster === from?.urn),
      ),
      ...(dataplane && { dataplane }),
      ...(subnets && { subnets }),
    };
  });
}

/** The cluster component that creates a provider's kubeconfig. */
function madeBy(provider: Resource, resources: Resource[], byUrn: ReadonlyMap<string, Resource>): Resource | undefined {
  const sources = (provider.references.kubeconfig ?? []).flatMap((urn) => byUrn.get(urn) ?? []);
  return resources.find(
    ({ urn, type }) =>
      /:(LocalCluster|AwsCluster)$/.test(type) && sources.some((source) => isWithin(source, urn, byUrn)),
  );
}

function kindOf(component: Resource | undefined): Cluster["kind"] {
  if (component?.type.endsWith(":LocalCluster")) return "local";
  return component?.type.endsWith(":AwsCluster") ? "aws" : "existing";
}

function subnetsOf(component: Resource, resources: Resource[]): Subnets {
  const lab = resources.flatMap(({ parent, inputs }) => (parent === component.urn ? (labOf(inputs) ?? []) : []))[0];
  const declared = lab ?? clusterNetworks(clusterSchema.parse(component.inputs));
  const { podSubnet, serviceSubnet, podSubnetIpv6, serviceSubnetIpv6 } = declared;
  return { pods: podSubnet, services: serviceSubnet, podsIpv6: podSubnetIpv6, servicesIpv6: serviceSubnetIpv6 };
}

function dataplaneOf(objects: WrittenObject[]): DataplaneSettings | undefined {
  const felix = objects
    .filter((object) => isOf(kinds.felixConfigurations, object) && object.metadata?.name === "default")
    .flatMap((object) => felixConfiguration.safeParse(object).data ?? [])[0];
  if (!felix) return undefined;
  const declared = objects
    .filter((object) => isOf(kinds.ipPools, object))
    .flatMap((object) => ipPool.safeParse(object).data ?? [])
    .filter(({ spec }) => !spec.disabled);
  const pools = poolsInForce(declared, felix).map(({ metadata, spec }) => ({
    name: metadata.name,
    cidr: spec.cidr,
    ...encapsulationOf({ spec }),
  }));
  const image = agentImageOf(objects);
  const mode = modeOf(felix);
  return {
    returnMode: returnModes[mode.returnMode].calico,
    serviceHandling: mode.serviceHandling,
    xdp: mode.xdp,
    pools,
    ...settingsOf(objects),
    ...(image && { image }),
  };
}

function settingsOf(objects: WrittenObject[]): z.output<typeof settingsSchema> {
  for (const { kind, data } of objects.filter(isAgents)) {
    const text = kind === "ConfigMap" ? (data as Record<string, unknown> | undefined)?.[SETTINGS_FILE] : undefined;
    if (typeof text === "string") return settingsSchema.parse(JSON.parse(text));
  }
  return {};
}

/** A namespace that is not known yet is taken for the agent's. */
function isAgents({ metadata }: WrittenObject): boolean {
  return metadata?.name === AGENT && (metadata.namespace ?? AGENT) === AGENT;
}

function agentImageOf(objects: WrittenObject[]): string | undefined {
  const daemonSet = objects.find((object) => object.kind === "DaemonSet" && isAgents(object));
  const spec = daemonSet?.spec as { template?: { spec?: { containers?: { image?: string }[] } } } | undefined;
  return spec?.template?.spec?.containers?.[0]?.image;
}
