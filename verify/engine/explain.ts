// Explains the result of an attempt from the cluster's objects: reported in addition to the observation, never instead.

import { ServiceHandling } from "../../components/dataplane/args.ts";
import { isKubeProxyOn } from "../../components/dataplane/kube-proxy-pod.ts";
import { familyOf } from "../../model/address/address.ts";
import { nodeAddresses, podAddresses, podName, podsBehind, readyPodsBehind } from "../cluster/view.ts";
import type { Attempt, Findings } from "./attempt.ts";
import { addressOf, podsOf, servicesOf } from "./behind.ts";
import { ownerOf } from "./lookup.ts";
import type { Handling, Reason, Refusal } from "./reason.ts";

/** The source that the server saw is not in `allowed`: what rewrote it. */
export function sourceReason(findings: Findings, { server, source = "" }: Attempt, allowed: string[]): Reason {
  const { view, machines } = findings;
  const seen = { source, owner: ownerOf(view, machines, source), server, allowed };
  const node = view.nodes.find((one) => nodeAddresses(one).includes(source))?.metadata?.name;
  if (!node) return { code: "otherSource", ...seen };
  const serverNode = view.pods.find((pod) => podName(pod) === server)?.spec?.nodeName;
  return { code: "sourceRewritten", ...seen, ...handlingOn(findings, node), node, onServerNode: node === serverNode };
}

/** Service handling on a node, and the configured return mode. */
export function handlingOn({ view }: Findings, node: string | undefined): Handling {
  const { serviceHandling = ServiceHandling.Ebpf, returnMode } = view;
  // kube-proxy on a node rewrites sources and so routes replies back through its node.
  const proxy = view.pods.find(
    (pod) => isKubeProxyOn(node, view.agentNamespace, pod) && pod.status?.phase === "Running",
  );
  return {
    ...(proxy && { kubeProxy: podName(proxy) }),
    ...(serviceHandling !== ServiceHandling.Ebpf && { leftTo: serviceHandling }),
    ...(returnMode && { configured: returnMode }),
  };
}

/** A reset or an ICMP error: whether there is a server to answer. */
export function refusalOf(findings: Findings, { result }: Attempt): Refusal | undefined {
  const { view, plan } = findings;
  const [service] = servicesOf(view, plan, result);
  if (service) {
    const name = `${service.metadata?.namespace}/${service.metadata?.name}`;
    const family = familyOf(addressOf(plan, result));
    const ready = readyPodsBehind(view, service, family);
    if (ready.length > 0) return { kind: "readyPods", service: name, ready };
    if (family === undefined || readyPodsBehind(view, service).length === 0)
      return { kind: "noReadyPod", service: name };
    const pods = podsBehind(view, service).map((pod) => ({ pod: podName(pod), addresses: podAddresses(pod) }));
    return { kind: "noReadyPodOfFamily", service: name, family, pods };
  }
  const [pod] = podsOf(view, plan, result);
  return pod && { kind: "pod", pod: podName(pod), port: plan.destination.port };
}

/** The source that the server saw is not known, because of missing log entries. */
export function unknownSource({ logs }: Findings, { log, server = "" }: Attempt): Reason {
  if (log) return { code: "logWithoutAddress", server, line: log.line };
  const [unreadable] = logs.unreadable;
  if (unreadable) return { code: "logUnreadable", server: unreadable[0], why: unreadable[1] };
  if (logs.searched.length === 0) return { code: "noServerKnown" };
  return { code: "notLogged", searched: logs.searched };
}
