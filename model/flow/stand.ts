import {
  serviceAccount as accountSchema,
  type Namespace,
  namespace as namespaceSchema,
  type Pod,
  pod as podSchema,
  type ServiceAccount,
} from "../objects/core.ts";
import type { EndpointPolicy } from "../policy/endpoint-policy.ts";
import type { FlowEnd } from "./record.ts";

type Pods = Extract<FlowEnd, { kind: "pods" }>;

/** A flow's pods as the API server would show them. */
export interface Stand {
  readonly pod: Pod;
  readonly namespace: Namespace;
  readonly account?: ServiceAccount | undefined;
  policy?: EndpointPolicy | undefined;
}

/** @param namespaces labels of namespaces; those of others are the log's */
export function standFor(
  end: Pods,
  index: number,
  namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>,
): Stand {
  const {
    namespace,
    workload,
    labels = {},
    namespaceLabels = {},
    serviceAccount,
    serviceAccountLabels,
    ports = [],
  } = end;
  return {
    pod: podSchema.parse({
      metadata: { name: `${workload}.${index}`, namespace, labels },
      spec: {
        ...(serviceAccount !== undefined && { serviceAccountName: serviceAccount }),
        containers: [{ ports: ports.map(({ port, ...rest }) => ({ ...rest, containerPort: port })) }],
      },
    }),
    namespace: namespaceSchema.parse({
      metadata: { name: namespace, labels: namespaces.get(namespace) ?? namespaceLabels },
    }),
    ...(serviceAccount !== undefined && {
      account: accountSchema.parse({
        metadata: { name: serviceAccount, namespace, labels: serviceAccountLabels ?? {} },
      }),
    }),
  };
}
