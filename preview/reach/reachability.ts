import { HostJudges } from "../../model/flow/host-judges.ts";
import { FlowJudge } from "../../model/flow/judge.ts";
import { eitherOf, type Judged, strictest } from "../../model/flow/judged.ts";
import type { FlowEnd } from "../../model/flow/record.ts";
import type { SeenFlow } from "../../model/flow/seen.ts";
import { containerPorts } from "../../model/policy/identity.ts";
import { portName } from "../../model/policy/judge.ts";
import { protocolNumbers } from "../../model/protocol.ts";
import type { Workload } from "../declared/objects.ts";
import { type Cast, podOf } from "./cast.ts";
import { judgedBy, podsEnd } from "./judged-by.ts";
import { Places, type Side } from "./places.ts";

/** The sender: pods, nodes other than the pod's own, or a host at an address or in blocks of addresses. */
export type Peer =
  | { kind: "nodes" }
  | { kind: "workload"; workload: Workload }
  | { kind: "stranger"; namespace: string }
  | { kind: "address"; address: string }
  | { kind: "blocks"; cidrs: readonly string[] };

/** A port of pods. */
export interface Target {
  workload: Workload;
  protocol: "TCP" | "UDP" | "SCTP";
  /** Or its name in the containers. */
  port: number | string;
}

/** What somebody outside the cluster used to reach a port of pods. */
export interface Through {
  /** A Service's port, "shop/web:http". */
  service: string;
  /** Who used it, as whom the pods need not see it. */
  client: Peer;
}

/** depends: on the address that a pod will get, on which pod it is, on the nodes of both ends, or on the endpoints of a Service that a rule names,
 * where they are not known. */
export type Reachability = "allowed" | "dropped" | "depends";

export interface Answer {
  verdict: Reachability;
  /** The objects that decided, "NetworkPolicy default/nginx"; none: nothing isolates either side, and no host endpoint is asked. */
  policies: string[];
}

/** The namespace of undeclared pods: no policy can name it. */
export const ELSEWHERE = "another-namespace";

type Asked = Pick<SeenFlow, "from" | "to" | "protocol" | "port" | "isOwnNode">;

/**
 * Evaluates the declared policies of all kinds, as flows of a log are judged by them: at pods, and at the host endpoints that their packets pass.
 * Selectors, identities and rules are those that the agent compiles, so the answers agree with the nodes. A pod's address is not known yet,
 * so every address of its pools is considered, and every node where it may run.
 */
export function reachabilityOf(cast: Cast): (from: Peer, to: Target, through?: Through) => Answer {
  const places = new Places(cast);
  const by = { ...judgedBy(cast), nodes: places.nodes, blocks: "rest" } as const;
  const known = new Map(cast.workloads.map((workload) => [workload, podsEnd(cast, workload)]));
  const homes = new Set([...cast.workloads.map(({ namespace }) => namespace), ELSEWHERE]);
  const strangers = new Map([...homes].map((namespace) => [namespace, podsEnd(cast, strangerIn(namespace))]));
  const podsOf = (peer: Peer): FlowEnd => {
    if (peer.kind === "stranger") return strangers.get(peer.namespace) ?? podsEnd(cast, strangerIn(peer.namespace));
    return peer.kind === "workload" ? (known.get(peer.workload) ?? podsEnd(cast, peer.workload)) : { kind: "others" };
  };
  // Whoever may be an end anywhere.
  const all = [...known.values(), ...strangers.values()].map((end) => ({
    ...{ from: end, to: end, service: "", reports: [] },
  }));
  const hosts = new HostJudges(by, cast.hosts, { flows: all, hosts: new Map() });
  const pods = new FlowJudge({ ...by, hostPeers: hosts.peers }, all);
  return (from, to, through) => {
    const asked = { protocol: to.protocol, port: numberOf(to) };
    const objects = new Set<string>();
    const hear = (names: string) => {
      for (const name of names.split(", ")) objects.add(name);
    };
    const pairsOf = (peer: Peer) => {
      const pairs = places.pairs(peer, to.workload, podsOf);
      const isPlain = !hosts.isAsked && pairs.every((sides) => sides.every(({ end }) => end.kind !== "node"));
      return isPlain ? pairs.slice(0, 1) : pairs;
    };
    const said = new Map<string, Judged>();
    const once = (key: string, judge: () => Judged): Judged => {
      const judged = said.get(key) ?? judge();
      said.set(key, judged);
      return judged;
    };
    const atHost = (flow: Asked, report: SeenFlow["reports"][number], service?: string): Judged =>
      once(`${report.at} ${report.node} ${endOf(flow.from)} ${endOf(flow.to)}`, () =>
        hosts.judge({ ...flow, reports: [report], ...(service && { service }) }, hear),
      );
    const onTheWay = ([a, b]: readonly [Side, Side]): Judged => {
      const flow = flowOf([a, b]);
      if (b.node === undefined) return ALLOWED;
      if (a.node === b.node) return atHost(flow, { node: b.node, at: "both" });
      const departure = a.node === undefined ? ALLOWED : atHost(flow, { node: a.node, at: "source" });
      return strictest([departure, atHost(flow, { node: b.node, at: "destination" }, through?.service)]);
    };
    const flowOf = ([a, b]: readonly [Side, Side]): Asked => {
      const isOwnNode = a.end.kind === "node" && a.node !== undefined && a.node === b.node;
      return { from: a.end, to: b.end, ...asked, isOwnNode };
    };
    const atPods = ([a, b]: readonly [Side, Side]): Judged => {
      const isHere = a.node !== undefined && a.node === b.node;
      return once(`${isHere ? "here" : ""} ${endOf(a.end)} ${endOf(b.end)}`, () => {
        const flow = { ...flowOf([a, b]), ...(isHere && { at: "both" as const }) };
        for (const names of pods.sourcesOf(flow)) hear(names);
        return pods.judge(flow);
      });
    };
    const isTranslated = through !== undefined && !cast.keepsSource;
    const answers = pairsOf(from).map((pair) => strictest([atPods(pair), isTranslated ? ALLOWED : onTheWay(pair)]));
    const atEntry = isTranslated ? [from, through.client].flatMap((peer) => pairsOf(peer).map(onTheWay)) : [];
    const { verdict } = strictest([eitherOf(answers), unsure(eitherOf(atEntry))]);
    return { verdict: verdict === "denied" ? "dropped" : verdict, policies: [...objects].sort() };
  };
}

const ALLOWED: Judged = { verdict: "allowed" };

/** What tells an end from others of the same question: all pods of it are the same. */
function endOf(end: FlowEnd): string {
  if (end.kind === "node") return end.name;
  return end.kind === "network" ? end.cidr : "";
}

/** With kube-proxy nobody here knows what becomes of a client's packets before they reach a host endpoint. */
function unsure(judged: Judged): Judged {
  return judged.verdict === "denied" ? { ...judged, verdict: "depends" } : judged;
}

/** Pods without labels. */
const strangerIn = (namespace: string): Workload => ({
  ...{ kind: "Pod", namespace, name: "another-pod", labels: {}, hostNetwork: false },
  ...{ serviceAccountName: "default", containers: [], initContainers: [] },
});

/** A name that the pod has no port of is no port: 0 is in no rule. */
function numberOf({ port, protocol, workload }: Target): number {
  if (typeof port === "number") return port;
  return containerPorts(podOf(workload)).get(portName(protocolNumbers[protocol], port)) ?? 0;
}
