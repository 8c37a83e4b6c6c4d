import type { JudgedBy } from "../../model/flow/judged-by.ts";
import type { FlowEnd } from "../../model/flow/record.ts";
import type { Pod } from "../../model/objects/core.ts";
import type { Workload } from "../declared/objects.ts";
import { type Cast, podOf } from "./cast.ts";
import { knownEndpoints } from "./service-endpoints.ts";

type PodsEnd = Extract<FlowEnd, { kind: "pods" }>;

/** The declared policies, and what is known of the cluster, as flows are judged by them. */
export function judgedBy(cast: Cast): JudgedBy {
  const { pools, namespaces } = cast;
  const { services, endpointSlices } = knownEndpoints(cast);
  return {
    policies: { ...cast.policies, endpointSlices },
    services,
    pools,
    nodes: declaredNodes(cast),
    namespaces,
  };
}

/** Addresses by node. */
export function declaredNodes({ nodes }: Pick<Cast, "nodes">): Map<string, string[]> {
  return new Map(
    nodes.map(({ name, address, addressIpv6 }) => [name, [address, ...(addressIpv6 ? [addressIpv6] : [])]]),
  );
}

/** Pods of a workload, as a flow log would name them. */
export function podsEnd({ serviceAccounts }: Cast, workload: Workload): PodsEnd {
  const { namespace, name, labels, serviceAccountName } = workload;
  const account = serviceAccounts.find(
    ({ metadata }) => metadata.namespace === namespace && metadata.name === serviceAccountName,
  );
  return {
    ...{ kind: "pods", namespace, workload: name, labels, serviceAccount: serviceAccountName },
    ...(account?.metadata.labels && { serviceAccountLabels: account.metadata.labels }),
    ports: namedPorts(podOf(workload)),
  };
}

/** Of containers and sidecars. */
export function namedPorts({ spec }: Pod): NonNullable<PodsEnd["ports"]> {
  const sidecars = spec.initContainers.filter(({ restartPolicy }) => restartPolicy === "Always");
  return [...spec.containers, ...sidecars]
    .flatMap(({ ports }) => ports)
    .flatMap(({ name, protocol, containerPort }) =>
      name ? [{ name, protocol: protocol ?? "TCP", port: containerPort }] : [],
    );
}
