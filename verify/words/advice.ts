import type { Expectation } from "../../components/documents/check.ts";
import type { Host } from "../../model/expectation/destination.ts";
import type { Place } from "../../model/expectation/place.ts";
import type { Reason } from "../engine/reason.ts";

/** Of every node, in whatever namespace its agent is. */
const inspect = (view: string): string => `ebpf-dataplane inspect ${view} (in a checkout: make inspect VIEW=${view})`;

/** The one cause of a drop that no node can detect. */
const foreignSources =
  "a direct reply leaves the backend's node with the entry node's address: does the network drop that? On EC2 every node needs sourceDestCheck: false; or set returnMode: tunnel";

/** For an expectation that does not hold: the commands that show why, nearest first. */
export function advice({ from, to, verdict, reply }: Expectation, reasons: Reason[]): string[] {
  for (const reason of reasons) {
    const commands = nearest(reason, from.text);
    if (commands) return commands;
  }
  const hints = podHints(from.value, to.value.host);
  if (reasons.some(({ code }) => notProbed.includes(code))) return hints;
  if (verdict !== "allowed") return [inspect("policies"), "kubectl get networkpolicies -A", inspect("connections")];
  const observed = reasons.flatMap((reason) => (reason.code === "otherVerdict" ? reason.observed : []));
  if (observed.includes("dropped"))
    return [...(reply === "direct" ? [foreignSources] : []), inspect("outcomes"), inspect("policies"), ...hints];
  if (observed.includes("rejected"))
    return ["kubectl get endpointslices -A (a service without a ready pod rejects)", inspect("services")];
  return [inspect("connections"), inspect("services")];
}

const notProbed: Reason["code"][] = ["missing", "apiRefused", "proberLost", "notSent"];

/** Commands that a reason alone suggests. */
function nearest(reason: Reason, from: string): string[] | undefined {
  switch (reason.code) {
    case "sourceRewritten":
      return [`on node ${reason.node}: nft list ruleset | grep -E 'masquerade|snat'`, inspect("services")];
    case "replyDetour":
    case "replyShortcut":
      return reason.kubeProxy ? undefined : ["kubectl get felixconfiguration default -o yaml", inspect("connections")];
    case "unsent":
      return [`on ${from}: ip -brief link; ip route; ip neigh`];
    case "apiUnreachable":
      return ["kubectl get nodes"];
    case "proberLost":
      return reason.onNode
        ? ["kubectl get nodes -o wide", "kubectl get events -A | grep ebpf-dataplane-probe"]
        : undefined;
    case "unresolved":
      return ["kubectl -n kube-system get pods -l k8s-app=kube-dns -o wide", inspect("outcomes")];
    default:
      return undefined;
  }
}

/** The pods and services that an expectation names. */
function podHints(...named: (Place | Host)[]): string[] {
  const namespaces = named.flatMap((one) => (one.kind === "pod" || one.kind === "service" ? one.namespace : []));
  return [...new Set(namespaces)].map(
    (namespace) => `kubectl -n ${namespace} get pods,services,endpointslices -o wide`,
  );
}
