import { Compiler } from "../../agent/compile/compile.ts";
import { SERVICE_NETWORK } from "../../components/documents/defaults.ts";
import { service } from "../../model/objects/core.ts";
import { networkPolicy } from "../../model/objects/networking.ts";
import type { Cluster } from "../declared/cluster.ts";
import type { WrittenObject } from "../declared/objects.ts";
import type { Warning } from "./warning.ts";

/** What the agents would report on the running cluster: their own compiler is asked now. */
export function compilerWarnings({ dataplane, objects }: Cluster): Warning[] {
  if (!dataplane) return [];
  const services = parsed(objects, "Service", ({ metadata, spec }, index) =>
    service.safeParse({
      metadata: { namespace: "default", ...metadata },
      // Any address, but each its own: the compiler passes over services without one.
      spec: { clusterIPs: [`10.96.${index >> 8}.${index & 255}`], ...(spec as object) },
    }),
  );
  const networkPolicies = parsed(objects, "NetworkPolicy", (object) => networkPolicy.safeParse(object));
  const { problems } = new Compiler().compile({ ...NOTHING, services, networkPolicies });
  return problems.map(({ kind, namespace, name, path, message }) => ({
    about: `${kind} ${namespace && namespace !== "default" ? `${namespace}/` : ""}${name}`,
    what: `${path}: ${message.replace(/\.$/, "")}`,
    next: "take the field out, or do not count on it",
  }));
}

function parsed<T>(
  objects: WrittenObject[],
  kind: string,
  parse: (object: WrittenObject, index: number) => { data?: T | undefined },
): T[] {
  return objects.filter((object) => object.kind === kind).flatMap((object, index) => parse(object, index).data ?? []);
}

const NOTHING = {
  facts: {
    nodeName: "",
    address: "::",
    subnets: [],
    localAddresses: [],
    serviceSubnet: SERVICE_NETWORK,
    uplinkIfindex: 0,
    tunnelIfindex: 0,
  },
  endpoints: [],
  nodes: [],
  namespaces: [],
  pods: [],
  services: [],
  endpointSlices: [],
  networkPolicies: [],
  ipPools: [],
  ipamBlocks: [],
  felixConfigurations: [],
};
