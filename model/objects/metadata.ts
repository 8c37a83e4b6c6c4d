import { z } from "zod";
import { serviceAnnotations } from "../mode/mode.ts";
import { BANDWIDTH } from "./bandwidth.ts";

// The parts of an object that the agent reads. Parsing drops every other field. This keeps the watch caches small, and a heartbeat that
// changes none of these fields is not noticed.

/** Annotations that matter to a dataplane: these, and all of Calico's for traffic classes. */
export const ANNOTATIONS = new Set([
  // Of a static pod's mirror: the uid that the kubelet knows the pod by.
  "kubernetes.io/config.hash",
  // Of a Pod, what it may send and receive in a time.
  ...Object.values(BANDWIDTH),
  // Of a Service, in place of the field of that name.
  "service.beta.kubernetes.io/load-balancer-source-ranges",
  // Of a Service, where Kubernetes has no field.
  ...Object.values(serviceAnnotations),
  // Of a Service, what it asks of this dataplane's load balancer (service/balancer/).
  "ebpf-dataplane.io/load-balancer-ips",
  "ebpf-dataplane.io/load-balancer-sharing",
  // Of a Node, for BGP.
  "projectcalico.org/ASNumber",
  "projectcalico.org/RouteReflectorClusterID",
  // Read only to report unsupported annotations (ignored.ts).
  "projectcalico.org/natExcludeService",
  "lb.projectcalico.org/external-traffic-strategy",
  "cni.projectcalico.org/ipAddrs",
  "cni.projectcalico.org/ipAddrsNoIpam",
  "cni.projectcalico.org/ipv4pools",
  "cni.projectcalico.org/ipv6pools",
  "cni.projectcalico.org/floatingIPs",
  "cni.projectcalico.org/hwAddr",
  "cni.projectcalico.org/allowedSourcePrefixes",
]);
export const TRAFFIC_CLASS = "qos.projectcalico.org/";
/** Of all annotations of this dataplane; those that do not exist are read to be reported. */
export const OWN = "ebpf-dataplane.io/";

function known(all: Readonly<Record<string, string | null | undefined>>): Readonly<Record<string, string>> | undefined {
  const found = Object.entries(all).flatMap(([name, text]) =>
    text != null && (ANNOTATIONS.has(name) || name.startsWith(TRAFFIC_CLASS) || name.startsWith(OWN))
      ? [[name, text] as const]
      : [],
  );
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}

/** Names, labels and life-cycle marks that every Kubernetes object has. */
export const metadata = z.object({
  name: z.string().min(1),
  namespace: z.string().nullish(),
  uid: z.string().nullish(),
  labels: z.record(z.string(), z.string()).nullish(),
  annotations: z
    .record(z.string(), z.string().nullish())
    .nullish()
    .transform((all) => known(all ?? {})),
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
