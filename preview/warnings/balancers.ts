import type { Cluster } from "../declared/cluster.ts";
import { type Service, serviceOf, shortName } from "../declared/objects.ts";
import type { Resource } from "../resource.ts";
import type { Warning } from "./warning.ts";

const TYPE = "service.beta.kubernetes.io/aws-load-balancer-type";
const CLASS = "service.k8s.aws/nlb";
const NEXT =
  "set returnMode of Dataplane to tunnel: replies then pass the load balancer, and pods still see the client";

/** Load balancers that must see both directions of a connection, and those that replace the client's address. */
export function balancerWarnings(cluster: Cluster, resources: Resource[]): Warning[] {
  const { dataplane, objects } = cluster;
  if (!dataplane) return [];
  const services = objects
    .flatMap((object) => serviceOf(object) ?? [])
    .filter(({ spec }) => spec.type === "LoadBalancer");
  const direct = dataplane.serviceHandling === "Ebpf" && dataplane.returnMode === "DSR";
  return [
    ...services.flatMap((service) => ofService(service, cluster, direct)),
    ...(direct ? resources.filter(isNetworkBalancer).map(({ name }) => withoutReplies(`load balancer ${name}`)) : []),
  ];
}

function ofService(service: Service, { kind }: Cluster, direct: boolean): Warning[] {
  const about = `Service ${shortName(service)}`;
  if (isNetwork(service)) return direct ? [withoutReplies(about)] : [];
  if (kind !== "aws") return [];
  return [
    {
      about,
      what: "AWS creates a classic load balancer for it, which is a proxy: pods see the load balancer's address, not the client's",
      next: `annotate it with ${TYPE}: external (AWS Load Balancer Controller), and set returnMode to tunnel`,
    },
  ];
}

function withoutReplies(about: string): Warning {
  return {
    about,
    what: "its network load balancer tracks connections and must see the replies, which DSR sends directly to the client: connections hang",
    next: NEXT,
  };
}

function isNetwork({ annotations, spec }: Service): boolean {
  return /^(nlb|nlb-ip|external)$/.test(annotations[TYPE] ?? "") || spec.loadBalancerClass === CLASS;
}

function isNetworkBalancer({ type, inputs }: Resource): boolean {
  return /^aws:(lb|alb)\/loadBalancer:/.test(type) && inputs.loadBalancerType === "network";
}
