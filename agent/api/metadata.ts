import { z } from "zod";

// What the agent reads of an object. Parsing drops every other field, which is also what keeps the watch caches small
// and lets a heartbeat that changes nothing here go unnoticed.

/** Names, labels and life-cycle marks that every Kubernetes object has. */
export const metadata = z.object({
  name: z.string().min(1),
  namespace: z.string().nullish(),
  uid: z.string().nullish(),
  labels: z.record(z.string(), z.string()).nullish(),
  annotations: z
    .object({
      // Of a static pod's mirror: the uid that the kubelet knows the pod by.
      "kubernetes.io/config.hash": z.string().nullish(),
      "kubernetes.io/ingress-bandwidth": z.string().nullish(),
      "kubernetes.io/egress-bandwidth": z.string().nullish(),
      // Of a Service, in place of the field of that name.
      "service.beta.kubernetes.io/load-balancer-source-ranges": z.string().nullish(),
    })
    .nullish(),
  creationTimestamp: z.string().nullish(),
  deletionTimestamp: z.string().nullish(),
});
export type Metadata = z.infer<typeof metadata>;

/** Any object of the API, by the part they share. */
export interface KubernetesObject {
  readonly metadata: Omit<Metadata, "annotations">;
}

/** "default/nginx", or "master" for an object without namespace. */
export function objectName(object: KubernetesObject): string {
  const { namespace, name } = object.metadata;
  return namespace ? `${namespace}/${name}` : name;
}

/** An absent list and an explicit null mean the same in Kubernetes' JSON. */
export function list<T extends z.ZodType>(item: T) {
  return z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);
}
