import { type CalicoReturnMode, serviceAnnotations } from "../../model/mode/mode.ts";
import { annotatedReturnMode } from "../../model/service/return-mode.ts";
import type { Cluster } from "../declared/cluster.ts";
import { type Service, serviceOf, shortName } from "../declared/objects.ts";
import type { Resource } from "../resource.ts";
import type { Warning } from "./warning.ts";

const TYPE = "service.beta.kubernetes.io/aws-load-balancer-type";
const CLASS = "service.k8s.aws/nlb";
const RESULT = "replies then pass the load balancer, and pods still see the client";
const NEXT = `set returnMode of Dataplane to tunnel: ${RESULT}`;
const NEXT_FOR_SERVICE = `annotate it with ${serviceAnnotations.returnMode}: Tunnel, or set returnMode of Dataplane to tunnel: ${RESULT}`;

/** Load balancers that must see both directions of a connection, and those that replace the client's address. */
export function balancerWarnings(cluster: Cluster, resources: Resource[]): Warning[] {
  const { dataplane, objects } = cluster;
  if (!dataplane) return [];
  const services = objects
    .flatMap((object) => serviceOf(object) ?? [])
    .filter(({ spec }) => spec.type === "LoadBalancer");
  const isDirect = (mode: CalicoReturnMode) => dataplane.serviceHandling === "Ebpf" && mode === "DSR";
  const modeOf = ({ annotations }: Service) => annotatedReturnMode(annotations) ?? dataplane.returnMode;
  const balancers = isDirect(dataplane.returnMode) ? resources.filter(isNetworkBalancer) : [];
  return [
    ...services.flatMap((service) => ofService(service, cluster, isDirect(modeOf(service)))),
    ...balancers.map(({ name }) => withoutReplies(`load balancer ${name}`, NEXT)),
  ];
}

function ofService(service: Service, { kind }: Cluster, direct: boolean): Warning[] {
  const about = `Service ${shortName(service)}`;
  if (isNetwork(service)) return direct ? [withoutReplies(about, NEXT_FOR_SERVICE)] : [];
  if (kind !== "aws") return [];
  return [
    {
      about,
      what: "AWS creates a classic load balancer for it, which is a proxy: pods see the load balancer's address, not the client's",
      next: `annotate it with ${TYPE}: external (AWS Load Balancer Controller), and set returnMode to tunnel`,
    },
  ];
}

function withoutReplies(about: string, next: string): Warning {
  return {
    about,
    what: "its network load balancer tracks connections and must see the replies, which DSR sends directly to the client: connections hang",
    next,
  };
}

function isNetwork({ annotations, spec }: Service): boolean {
  return /^(nlb|nlb-ip|external)$/.test(annotations[TYPE] ?? "") || spec.loadBalancerClass === CLASS;
}

function isNetworkBalancer({ type, inputs }: Resource): boolean {
  return /^aws:(lb|alb)\/loadBalancer:/.test(type) && inputs.loadBalancerType === "network";
}
