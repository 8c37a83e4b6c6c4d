import { SERVICE_NETWORK } from "../../components/documents/defaults.ts";
import { nodeDirectory } from "../../model/node/nodes.ts";
import { type Service, service } from "../../model/objects/core.ts";
import { type Kind, kinds } from "../../model/objects/kinds.ts";
import { type NetworkPolicy, networkPolicy } from "../../model/objects/networking.ts";
import { compileNetworkPolicy } from "../../model/policy/network-policy.ts";
import type { Problem } from "../../model/problem.ts";
import { externalIpPolicy } from "../../model/service/external-ips.ts";
import { frontendRules } from "../../model/service/frontend-rules.ts";
import { ServiceSet } from "../../model/service/services.ts";
import { finish } from "../../model/steps.ts";
import type { Cluster } from "../declared/cluster.ts";
import { isOf, type WrittenObject } from "../declared/objects.ts";
import type { Warning } from "./warning.ts";

/** Problems that the agents would report on the running cluster, found with the same model. */
export function notInForce({ dataplane, objects }: Cluster): Warning[] {
  if (!dataplane) return [];
  const services = parsed(objects, kinds.services, ({ metadata, spec }, index) =>
    service.safeParse({
      metadata: { namespace: "default", ...metadata },
      // A unique placeholder address: services without one are skipped.
      spec: { clusterIPs: [`10.96.${index >> 8}.${index & 255}`], ...(spec as object) },
    }),
  );
  const networkPolicies = parsed(objects, kinds.networkPolicies, (object) => networkPolicy.safeParse(object));
  return problemsOf(services, networkPolicies).map(({ kind, namespace, name, path, message }) => ({
    about: `${kind} ${namespace && namespace !== "default" ? `${namespace}/` : ""}${name}`,
    what: `${path}: ${message.replace(/\.$/, "")}`,
    next: "remove the field, or do not rely on it",
  }));
}

function parsed<T>(
  objects: WrittenObject[],
  kind: Kind,
  parse: (object: WrittenObject, index: number) => { data?: T | undefined },
): T[] {
  return objects.filter((object) => isOf(kind, object)).flatMap((object, index) => parse(object, index).data ?? []);
}

/** Problems that the model finds without knowing any node. */
function problemsOf(services: Service[], networkPolicies: NetworkPolicy[]): readonly Problem[] {
  const nodes = nodeDirectory([], NO_NODE);
  const rules = frontendRules({ accepted: [], problems: [] }, [], externalIpPolicy(undefined), nodes);
  const objects = { services, endpointSlices: [], pods: [], endpoints: [] };
  const { problems } = finish(new ServiceSet(ENOUGH_ROOM).compiling(objects, nodes, rules));
  return [...problems, ...networkPolicies.flatMap((policy) => compileNetworkPolicy(policy).problems)];
}

const NO_NODE = { nodeName: "", address: "::", subnets: [], localAddresses: [], serviceSubnet: SERVICE_NETWORK };
const ENOUGH_ROOM = {
  frontends: Number.POSITIVE_INFINITY,
  endpoints: Number.POSITIVE_INFINITY,
  backends: Number.POSITIVE_INFINITY,
  sourceRanges: Number.POSITIVE_INFINITY,
};
