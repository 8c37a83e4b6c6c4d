import { annotations } from "../../model/mode/mode.ts";
import type { Handling, Reason, Refusal } from "../engine/reason.ts";

const logForm = `nginx's "combined" format does, and a probe server tells by itself (docs/checks.md)`;
const nobody = "nobody recorded whom the server saw";

/** A reason as a sentence of a row's evidence. */
export function reasonInWords(reason: Reason): string {
  switch (reason.code) {
    case "missing":
      return `not probed: ${reason.what}`;
    case "apiUnreachable":
    case "apiRefused":
    case "proberLost":
    case "unresolved":
    case "notSent":
      return `not probed: ${reason.message}`;
    case "unsent":
      return `no packet left ${reason.from}: ${reason.why}; its link or its route is gone, so nothing is known of the dataplane`;
    case "attemptsMissing":
      return `${reason.count} attempts gave no result`;
    case "otherVerdict":
      return verdictInWords(reason);
    case "sourceRewritten":
      return rewriteInWords(reason);
    case "otherSource":
      return sawInWords(reason);
    case "replyDetour":
      return `the reply passed ${reason.node ?? "the entry node"} instead of going direct${modeInWords(reason, "DSR")}`;
    case "replyShortcut":
      return `no packet of the reply left ${reason.node ?? "the entry node"}, so it came direct${modeInWords(reason, "Tunnel")}`;
    default:
      return serverInWords(reason);
  }
}

type ServerReason = Extract<
  Reason,
  {
    code:
      | "otherServer"
      | "tooFewServers"
      | "tooManyServers"
      | "serversUnknown"
      | "logWithoutAddress"
      | "logUnreadable"
      | "noServerKnown"
      | "notLogged";
  }
>;

/** What is said of who answered, and of what its log lacks. */
function serverInWords(reason: ServerReason): string {
  switch (reason.code) {
    case "otherServer":
      return `${reason.server ?? "an unknown server"} answered, not ${reason.allowed.join(" or ")}`;
    case "tooFewServers":
      return `${reason.servers.length} distinct servers answered, not ${reason.least}: ${reason.servers.join(", ") || "none"}`;
    case "tooManyServers":
      return `${reason.servers.length} distinct servers answered, not ${reason.most} at most: ${reason.servers.join(", ")}`;
    case "serversUnknown":
      return "nobody said which server answered";
    case "logWithoutAddress":
      return `the log of ${reason.server} has the request, but its line does not begin with an address: ${reason.line}; ${logForm}`;
    case "logUnreadable":
      return `${nobody}: the log of ${reason.server} cannot be read: ${reason.why}`;
    case "noServerKnown":
      return `${nobody}: it said nothing, and no pod is known that could have answered`;
    case "notLogged":
      return `${nobody}: it said nothing, and no log line of ${reason.searched.join(", ")} holds the probe's token; the user agent must be logged after the client's address: ${logForm}`;
  }
}

function verdictInWords({ observed, expected, error, refusal }: Extract<Reason, { code: "otherVerdict" }>): string {
  return `${observed}${error ? ` (${error})` : ""}, not ${expected}${refusal ? `: ${refusalInWords(refusal)}` : ""}`;
}

function refusalInWords(refusal: Refusal): string {
  if (refusal.kind === "noReadyPod") return `service ${refusal.service} has no ready pod`;
  if (refusal.kind === "readyPods")
    return `service ${refusal.service} has ready pods (${refusal.ready.join(", ")}), so it is they who refuse: nothing listens on the target port, or nothing on the way handles the service`;
  return `pod ${refusal.pod} is there and refuses: nothing listens on its port ${refusal.port}`;
}

interface Saw {
  source: string;
  owner?: string;
  server?: string;
  allowed: string[];
}

function sawInWords({ source, owner, server, allowed }: Saw): string {
  return `${server ? `pod ${server}` : "the server"} saw ${source}${owner ? ` (${owner})` : ""}, not ${allowed.join(" or ")}`;
}

function rewriteInWords(reason: Extract<Reason, { code: "sourceRewritten" }>): string {
  const { node, onServerNode, kubeProxy } = reason;
  const where = onServerNode ? `on node ${node}, where the pod runs` : `on node ${node}, on the way to the pod`;
  const what = kubeProxy
    ? proxyInWords(kubeProxy)
    : "a masquerade rule of nftables or iptables there, or another proxy";
  const left = leftInWords(reason);
  return `${sawInWords(reason)}: something rewrites the source ${where} (SNAT: ${what})${left ? `; ${left}` : ""}`;
}

const proxyInWords = (pod: string): string => `kube-proxy runs there, pod ${pod}`;

function leftInWords({ leftTo }: Handling): string | undefined {
  return (
    leftTo &&
    `FelixConfiguration default leaves services to the node's own rules (annotation ${annotations.serviceHandling}: ${leftTo})`
  );
}

/** Why replies may return otherwise than declared. */
function modeInWords(handling: Handling, declared: "DSR" | "Tunnel"): string {
  const { kubeProxy, configured } = handling;
  const other = kubeProxy ? proxyInWords(kubeProxy) : leftInWords(handling);
  if (other) return `; ${declared} is expected, but services are handled by another: ${other}`;
  if (configured === undefined) return "; no FelixConfiguration default is there to say how replies return";
  if (configured !== declared)
    return `; ${declared} is expected, but FelixConfiguration default says ${configured} (spec.bpfExternalServiceMode)`;
  return `, although FelixConfiguration default says ${configured}: it may have changed after this connection began, or an agent does not follow it`;
}
