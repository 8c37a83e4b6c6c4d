import { selects } from "../../model/policy/selector.ts";
import type { Cluster } from "../declared/cluster.ts";
import { shortName } from "../declared/objects.ts";
import { backendsOf, type Cast, castOf } from "../reach/cast.ts";
import { reachabilityOf } from "../reach/reachability.ts";
import { sceneOf } from "../scene.ts";
import type { Warning } from "./warning.ts";

/** Policies and services without pods, and pods that lose their name service. */
export function policyWarnings(cluster: Cluster): Warning[] {
  const cast = castOf(sceneOf(cluster));
  return [...idlePolicies(cast), ...servicesWithoutPods(cast), ...withoutNames(cast)];
}

function idlePolicies({ policies, workloads }: Cast): Warning[] {
  return policies.networkPolicies
    .filter(({ metadata, spec }) => {
      const namespace = metadata.namespace ?? "default";
      const subject = spec.podSelector ?? { matchExpressions: [] };
      const isEmpty = subject.matchExpressions.length === 0 && Object.keys(subject.matchLabels ?? {}).length === 0;
      const selected = workloads.some((pod) => pod.namespace === namespace && selects(subject, pod.labels));
      return !selected && !isEmpty;
    })
    .map(({ metadata }) => ({
      about: `NetworkPolicy ${shortName({ namespace: metadata.namespace ?? "default", name: metadata.name })}`,
      what: "it selects none of the pods declared here",
      next: "compare its podSelector and namespace with the pods' labels, unless it is for pods declared elsewhere",
    }));
}

function servicesWithoutPods(cast: Cast): Warning[] {
  return cast.services
    .filter((service) => Object.keys(service.spec.selector).length > 0 && backendsOf(cast, service).length === 0)
    .map((service) => ({
      about: `Service ${shortName(service)}`,
      what: "its selector matches none of the pods declared here: it rejects every connection",
      next: "compare its selector with the pods' labels, unless it is for pods declared elsewhere",
    }));
}

/** The most common mistake with egress policies. */
function withoutNames(cast: Cast): Warning[] {
  const dns = cast.workloads.find(({ namespace, name }) => namespace === "kube-system" && name === "coredns");
  if (!dns) return [];
  const ask = reachabilityOf(cast);
  return cast.workloads.flatMap((workload) => {
    const { verdict, policies } = ask({ kind: "workload", workload }, { workload: dns, protocol: "UDP", port: 53 });
    if (verdict !== "dropped") return [];
    return [
      {
        about: policies.join(", "),
        what: `pods of ${shortName(workload)} cannot reach the cluster's name service (kube-system/kube-dns, UDP 53)`,
        next: "allow egress to pods k8s-app=kube-dns of namespace kube-system on port 53, UDP and TCP",
      },
    ];
  });
}
