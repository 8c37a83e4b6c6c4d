import { annotations } from "../../model/mode/mode.ts";
import type { Handling, Reason, Refusal } from "../engine/reason.ts";

const logForm = `nginx's "combined" format does, and a probe server reports it by itself (docs/checks.md)`;
const noRecord = "no record of the source address that the server saw";

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
      return `no packet left ${reason.from}: ${reason.why}; its link or its route is missing, so this shows nothing about the dataplane`;
    case "attemptsMissing":
      return `${reason.count} attempts gave no result`;
    case "otherVerdict":
      return verdictInWords(reason);
    case "sourceRewritten":
      return rewriteInWords(reason);
    case "otherSource":
      return sawInWords(reason);
    case "replyDetour":
      return `the reply passed ${reason.node ?? "the entry node"} instead of taking the direct path${modeInWords(reason, "DSR")}`;
    case "replyShortcut":
      return `no packet of the reply left ${reason.node ?? "the entry node"}, so it took the direct path${modeInWords(reason, "Tunnel")}`;
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
      | "otherStatus"
      | "otherEcho"
      | "logWithoutAddress"
      | "logUnreadable"
      | "noServerKnown"
      | "notLogged";
  }
>;

/** Sentences about the server that answered, and about what its log lacks. */
function serverInWords(reason: ServerReason): string {
  switch (reason.code) {
    case "otherServer":
      return `${reason.server ?? "an unknown server"} answered, not ${reason.allowed.join(" or ")}`;
    case "tooFewServers":
      return `${answered(reason.servers)}, at least ${reason.least} expected`;
    case "tooManyServers":
      return `${answered(reason.servers)}, at most ${reason.most} expected`;
    case "serversUnknown":
      return "no answer and no log names the server";
    case "otherEcho":
      return echoInWords(reason);
    case "otherStatus":
      return statusInWords(reason);
    case "logWithoutAddress":
      return `the log of ${reason.server} has the request, but its line does not begin with an address: ${reason.line}; ${logForm}`;
    case "logUnreadable":
      return `${noRecord}: the log of ${reason.server} cannot be read: ${reason.why}`;
    case "noServerKnown":
      return `${noRecord}: the answer does not contain it, and no known pod could have answered`;
    case "notLogged":
      return `${noRecord}: the answer does not contain it, and no log line of ${reason.searched.join(", ")} contains the probe's token; the user agent must be logged after the client's address: ${logForm}`;
  }
}

/** `2 servers answered (default/a, default/b)`. */
function answered(servers: string[]): string {
  const [only] = servers;
  if (only === undefined) return "no known server answered";
  return servers.length === 1
    ? `1 server answered (${only})`
    : `${servers.length} servers answered (${servers.join(", ")})`;
}

function statusInWords({ observed, expected, path, answer = "" }: Extract<Reason, { code: "otherStatus" }>): string {
  if (observed !== undefined) return `${path} was answered with HTTP status ${observed}, not ${expected}`;
  const first = answer.split("\n")[0]?.slice(0, 60);
  const what = first ? `the answer is not HTTP: ${JSON.stringify(first)}` : "no HTTP answer came";
  return `${what}; ${path} with status ${expected} expected`;
}

function echoInWords({ echoed, size, differsAt, answer, error }: Extract<Reason, { code: "otherEcho" }>): string {
  const why = error ? ` (${error})` : "";
  if (differsAt === 0 || (echoed === 0 && answer))
    return `the server does not send back what it receives; it answered ${JSON.stringify(answer?.slice(0, 60) ?? "")}`;
  if (differsAt !== undefined) return `of ${size} bytes the one at offset ${differsAt} came back as another`;
  return `${echoed} of ${size} bytes came back${why}`;
}

function verdictInWords({ observed, expected, error, refusal }: Extract<Reason, { code: "otherVerdict" }>): string {
  return `${observed}${error ? ` (${error})` : ""}, not ${expected}${refusal ? `: ${refusalInWords(refusal)}` : ""}`;
}

function refusalInWords(refusal: Refusal): string {
  if (refusal.kind === "noReadyPod") return `service ${refusal.service} has no ready pod`;
  if (refusal.kind === "noReadyPodOfFamily")
    return `service ${refusal.service} has no ready endpoint of ${refusal.family}, although others are ready: ${podsInWords(refusal.pods)}`;
  if (refusal.kind === "readyPods")
    return `service ${refusal.service} has ready pods (${refusal.ready.join(", ")}), so they refuse the connection: nothing listens on the target port, or nothing on the path handles the service`;
  return `pod ${refusal.pod} exists and refuses: nothing listens on its port ${refusal.port}`;
}

function podsInWords(pods: { pod: string; addresses: string[] }[]): string {
  return pods.map(({ pod, addresses }) => `pod ${pod} has ${addresses.join(" and ") || "no address"}`).join(", ");
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
  const where = onServerNode ? `on node ${node}, where the pod runs` : `on node ${node}, on the path to the pod`;
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

/** Why replies may take another path than declared. */
function modeInWords(handling: Handling, declared: "DSR" | "Tunnel"): string {
  const { kubeProxy, configured } = handling;
  const other = kubeProxy ? proxyInWords(kubeProxy) : leftInWords(handling);
  if (other) return `; ${declared} is expected, but this dataplane does not handle services: ${other}`;
  if (configured === undefined) return "; there is no FelixConfiguration default that sets the return mode";
  if (configured !== declared)
    return `; ${declared} is expected, but FelixConfiguration default says ${configured} (spec.bpfExternalServiceMode)`;
  return `, although FelixConfiguration default says ${configured}: it may have changed after this connection began, or an agent has not applied it`;
}
