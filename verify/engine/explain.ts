// Why an attempt came out as it did, as far as the cluster's own objects tell: said beside what was seen, never instead.

import { ServiceHandling } from "../../components/dataplane/args.ts";
import { annotations } from "../../model/mode/mode.ts";
import { type ClusterView, nodeAddresses, podName, readyPodsBehind } from "../cluster/view.ts";
import type { Attempt, Findings } from "./attempt.ts";
import { podsOf, servicesOf } from "./behind.ts";
import { ownerOf } from "./lookup.ts";

/** Whom the server saw is not one of `allowed`: who put that address there. */
export function sourceExplained(findings: Findings, { server, source = "" }: Attempt, allowed: string[]): string {
  const { view, machines } = findings;
  const owner = ownerOf(view, machines, source);
  const saw = `${server ? `pod ${server}` : "the server"} saw ${source}${owner ? ` (${owner})` : ""}, not ${allowed.join(" or ")}`;
  const node = view.nodes.find((one) => nodeAddresses(one).includes(source))?.metadata?.name;
  if (!node) return saw;
  const serverNode = view.pods.find((pod) => podName(pod) === server)?.spec?.nodeName;
  const where = node === serverNode ? `on node ${node}, where the pod runs` : `on node ${node}, on the way to the pod`;
  const what = kubeProxyOn(findings, node) ?? "a masquerade rule of nftables or iptables there, or another proxy";
  const left = leftToOthers(view);
  return `${saw}: something rewrites the source ${where} (SNAT: ${what})${left ? `; ${left}` : ""}`;
}

/** The reply came through the entry node, and should not have. */
export function detourExplained(findings: Findings): string {
  const { plan, view } = findings;
  const node = plan.entry?.node ?? "the entry node";
  return `the reply passed ${node} instead of going direct${modeExplained(findings, "Tunnel", "DSR", view.returnMode)}`;
}

/** The reply came direct, and should have passed the entry node. */
export function shortcutExplained(findings: Findings): string {
  const node = findings.plan.entry?.node ?? "the entry node";
  const seen = `no packet of the reply left ${node}, so it came direct`;
  return `${seen}${modeExplained(findings, "DSR", "Tunnel", findings.view.returnMode)}`;
}

/** The dataplane itself was told to leave services to others. */
function leftToOthers({ serviceHandling = ServiceHandling.Ebpf }: ClusterView): string | undefined {
  if (serviceHandling === ServiceHandling.Ebpf) return undefined;
  return `FelixConfiguration default leaves services to the node's own rules (annotation ${annotations.serviceHandling}: ${serviceHandling})`;
}

function modeExplained(findings: Findings, contrary: string, declared: string, now: string | undefined): string {
  const proxy = kubeProxyOn(findings, findings.plan.entry?.node ?? "") ?? leftToOthers(findings.view);
  if (proxy) return `; ${declared} is expected, but services are handled by another: ${proxy}`;
  if (now === undefined) return "; no FelixConfiguration default is there to say how replies return";
  if (now === contrary)
    return `; ${declared} is expected, but FelixConfiguration default says ${now} (spec.bpfExternalServiceMode)`;
  return `, although FelixConfiguration default says ${now}: it may have changed after this connection began, or an agent does not follow it`;
}

/** A reset or an ICMP error: whether anybody is there to answer. */
export function rejectionExplained(findings: Findings, { result }: Attempt): string | undefined {
  const { view, plan } = findings;
  const [service] = servicesOf(view, plan, result);
  if (service) {
    const name = `${service.metadata?.namespace}/${service.metadata?.name}`;
    const ready = readyPodsBehind(view, service);
    if (ready.length === 0) return `service ${name} has no ready pod`;
    return `service ${name} has ready pods (${ready.join(", ")}), so it is they who refuse: nothing listens on the target port`;
  }
  const [pod] = podsOf(view, plan, result);
  return pod && `pod ${podName(pod)} is there and refuses: nothing listens on its port ${plan.destination.port}`;
}

/** Nobody knows whom the server saw: what the logs lack. */
export function silenceExplained({ logs }: Findings, { log, server }: Attempt): string {
  const form = `nginx's "combined" format does, and a probe server tells by itself (docs/checks.md)`;
  if (log)
    return `the log of ${server} has the request, but its line does not begin with an address: ${log.line}; ${form}`;
  const [unreadable] = logs.unreadable;
  if (unreadable)
    return `nobody recorded whom the server saw: the log of ${unreadable[0]} cannot be read: ${unreadable[1]}`;
  if (logs.searched.length === 0)
    return "nobody recorded whom the server saw: it said nothing, and no pod is known that could have answered";
  return `nobody recorded whom the server saw: it said nothing, and no log line of ${logs.searched.join(", ")} holds the probe's token; the user agent must be logged after the client's address: ${form}`;
}

/** kube-proxy at work on a node rewrites sources and takes replies back through itself. */
function kubeProxyOn({ view }: Findings, node: string): string | undefined {
  const pod = view.pods.find(
    ({ metadata, spec, status }) =>
      metadata?.labels?.["k8s-app"] === "kube-proxy" && spec?.nodeName === node && status?.phase === "Running",
  );
  return pod && `kube-proxy runs there, pod ${podName(pod)}`;
}
