import type { Row } from "../../report/results/verification.ts";

const inspect =
  "kubectl -n ebpf-dataplane exec ds/ebpf-dataplane -c agent -- node /opt/ebpf-dataplane/agent.js inspect";

/** The one cause of a drop that no node can see. */
const foreignSources =
  "a direct reply leaves the backend's node with the entry node's address: does the network drop that? On EC2 every node needs sourceDestCheck: false; or set returnMode: tunnel";

/** For a row that failed: the commands that show why, nearest first. */
export function advice({ from, to, expected, observed, evidence = [] }: Row): string[] {
  const why = evidence.join("\n");
  const rewriter = why.match(/rewrites the source on node (\S+?),/)?.[1];
  if (rewriter) return [`on node ${rewriter}: nft list ruleset | grep -E 'masquerade|snat'`, `${inspect} services`];
  if (/FelixConfiguration default/.test(why))
    return ["kubectl get felixconfiguration default -o yaml", `${inspect} connections`];
  if (/^no packet left/.test(why)) return [`on ${from}: ip -brief link; ip route; ip neigh`];
  if (/API server .* does not answer/.test(observed)) return ["kubectl get nodes"];
  if (/dataplane's pod|exec in pod|agent /.test(observed)) {
    return [
      "kubectl -n ebpf-dataplane get pods -o wide",
      "kubectl -n ebpf-dataplane logs ds/ebpf-dataplane -c agent --tail 50",
    ];
  }
  if (/does not resolve/.test(observed)) {
    return ["kubectl -n kube-system get pods -l k8s-app=kube-dns -o wide", `${inspect} outcomes`];
  }
  if (observed.startsWith("not probed")) return podHints(from, to);
  if (expected.startsWith("allowed") && observed.includes("dropped")) {
    return [
      ...(expected.includes("reply direct") ? [foreignSources] : []),
      `${inspect} outcomes`,
      `${inspect} policies`,
      ...podHints(from, to),
    ];
  }
  if (expected.startsWith("allowed") && observed.includes("rejected")) {
    return ["kubectl get endpointslices -A (a service without a ready pod rejects)", `${inspect} services`];
  }
  if (!expected.startsWith("allowed"))
    return [`${inspect} policies`, "kubectl get networkpolicies -A", `${inspect} connections`];
  return [`${inspect} connections`, `${inspect} services`];
}

/** The pods and services that a row names. */
function podHints(...texts: string[]): string[] {
  return texts
    .flatMap((text) => {
      const [, kind, namespace] = text.match(/\b(pod|service)\/([^/]+)\//) ?? [];
      return kind && namespace ? [`kubectl -n ${namespace} get pods,services,endpointslices -o wide`] : [];
    })
    .filter((hint, index, all) => all.indexOf(hint) === index);
}
