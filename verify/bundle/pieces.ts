// The parts of an archive for support, and what each is read from. Only reads; Secrets, ConfigMaps and ServiceAccounts are never asked for.
import type { CoreV1Event, KubernetesObject, V1DaemonSet, V1Pod } from "@kubernetes/client-node";
import { AGENT } from "../../components/dataplane/names.ts";
import { getObject, getText, listObjects, unlessMissing } from "../../kubernetes/get.ts";
import type { Api } from "../../kubernetes/transport.ts";
import { type KindName, kindNames, kinds, resourcePath } from "../../model/objects/kinds.ts";
import { agentsOn, type ClusterView } from "../cluster/view.ts";
import { firstAnswer, type Inspect, nodeNames } from "../inspect/ask-nodes.ts";
import { namesOf } from "../inspect/names.ts";
import { NODE_VIEWS, POOLS } from "../inspect/views.ts";
import type { NodeReport } from "../status/cluster-status.ts";
import { clusterLines, clusterStatus } from "../status/status-command.ts";
import { cleaned } from "./redact.ts";
import { reducedDaemonSet, reducedNode, reducedPod } from "./reduced.ts";

export interface Piece {
  /** In the archive. */
  readonly path: string;
  /** @returns its text; undefined: the cluster has none. @throws Error why it cannot be read */
  readonly read: () => Promise<string | undefined>;
}

export interface Sources {
  readonly api: Api;
  readonly view: ClusterView;
  readonly inspect: Inspect;
  readonly reports: () => Promise<NodeReport[]>;
  /** Of this package. */
  readonly version: string;
}

/** Objects of a kind, and events, that are read at most. */
const MOST_OBJECTS = 2_000;
/** Lines, and characters, of a log. */
const [MOST_LINES, MOST_CHARACTERS] = [2_000, 500_000];

/** Written in reduced form, or not at all. */
const NOT_WHOLE: readonly KindName[] = ["nodes", "pods", "namespaces", "serviceAccounts"];
/** Not collected: it says who talks to whom, and may be large. */
const NOT_ASKED = "connections";
const BGP = "bgp";

export const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

export function piecesOf({ api, view, inspect, reports, version }: Sources): Piece[] {
  const nodes = nodeNames(view).toSorted();
  const pods = nodes.flatMap((node) => agentsOn(view, node));
  const speaksBgp = bgpSpeech(api);
  return [
    {
      path: "versions.json",
      read: async () => json({ package: version, kubernetes: await getObject(api, "/version") }),
    },
    { path: "nodes.json", read: async () => json(view.nodes.map(reducedNode)) },
    { path: "agents.json", read: async () => json(await agents(api, view)) },
    { path: "status.txt", read: async () => status(api, await reports(), false) },
    { path: "status.json", read: async () => status(api, await reports(), true) },
    { path: "names.json", read: async () => json(namesOf(view).all) },
    ...eventPieces(api, view.agentNamespace),
    ...kindNames.filter((name) => !NOT_WHOLE.includes(name)).map((name) => objectPiece(api, name)),
    { path: "ipam.jsonl", read: () => firstAnswer(nodes, [POOLS], inspect) },
    ...nodes.flatMap((node) => nodePieces(node, inspect, speaksBgp)),
    ...pods.flatMap((pod) => logPieces(api, pod)),
  ];
}

function status(api: Api, reports: NodeReport[], asJson: boolean): string {
  const found = clusterStatus(api.server, reports);
  return asJson ? json(found) : `${clusterLines(found).join("\n")}\n`;
}

async function agents(api: Api, view: ClusterView) {
  const path = `/apis/apps/v1/namespaces/${view.agentNamespace}/daemonsets/${AGENT}`;
  const daemonSet = await unlessMissing(getObject<V1DaemonSet>(api, path));
  const own = view.pods.filter(
    ({ metadata }) => metadata?.namespace === view.agentNamespace && isOwnName(metadata.name),
  );
  return { daemonSet: daemonSet && reducedDaemonSet(daemonSet), pods: own.map(reducedPod) };
}

/** The namespace may be a user's, with other objects in it. */
const isOwnName = (name = ""): boolean => /^(ebpf-dataplane|kube-proxy)(-|$)/.test(name);

interface List {
  metadata?: { continue?: string };
  items?: unknown[] | null;
}

/** A list, cleaned, and whether there is more of it. */
async function listed(
  api: Api,
  path: string,
  query: Readonly<Record<string, string>> = {},
  isWanted: (item: unknown) => boolean = () => true,
): Promise<string | undefined> {
  const found = await unlessMissing(getObject<List>(api, path, { limit: String(MOST_OBJECTS), ...query }));
  if (!found) return undefined;
  const { metadata, items } = found;
  return json({
    ...(metadata?.continue && { onlyTheFirst: MOST_OBJECTS }),
    items: (items ?? []).filter(isWanted).map(cleaned),
  });
}

function objectPiece(api: Api, name: KindName): Piece {
  return { path: `objects/${name}.json`, read: () => listed(api, resourcePath(kinds[name])) };
}

/** Events about objects that the agents report, and about the agents themselves. Events of other pods are not read. */
function eventPieces(api: Api, namespace: string): Piece[] {
  const isOwn = (event: unknown) => isOwnName((event as CoreV1Event).involvedObject?.name);
  return [
    {
      path: "events/of-the-agents.json",
      read: () => listed(api, "/api/v1/events", { fieldSelector: `source=${AGENT}` }),
    },
    {
      path: "events/of-their-pods.json",
      read: () => listed(api, `/api/v1/namespaces/${namespace}/events`, {}, isOwn),
    },
  ];
}

function nodePieces(node: string, inspect: Inspect, speaksBgp: () => Promise<boolean>): Piece[] {
  const ofAgent = ["settings", "metrics"].map((kind) => ({
    path: `inspect/${node}/${kind}.jsonl`,
    read: () => inspect(node, [kind, "--json"]),
  }));
  const views = NODE_VIEWS.filter((view) => view !== NOT_ASKED).map((view) => ({
    path: `inspect/${node}/${view}.json`,
    // Without BGP there is no BIRD that could answer.
    read: async () => (view !== BGP || (await speaksBgp()) ? inspect(node, [view, "--json"]) : undefined),
  }));
  return [...ofAgent, ...views];
}

/** Whether nodes have a reason to use BGP. Asked once. */
function bgpSpeech(api: Api): () => Promise<boolean> {
  let speaks: Promise<boolean> | undefined;
  const ask = async () => {
    const [configurations, peers] = await Promise.all(
      [kinds.bgpConfigurations, kinds.bgpPeers].map((kind) =>
        unlessMissing(listObjects<KubernetesObject>(api, resourcePath(kind))),
      ),
    );
    return (peers ?? []).length > 0 || (configurations ?? []).some(({ metadata }) => metadata?.name === "default");
  };
  return () => {
    speaks ??= ask();
    return speaks;
  };
}

function logPieces(api: Api, pod: V1Pod): Piece[] {
  const { metadata, spec, status } = pod;
  const path = `/api/v1/namespaces/${metadata?.namespace}/pods/${metadata?.name}/log`;
  return (spec?.containers ?? []).flatMap(({ name: container }) => {
    const log = (query: object) => async () => {
      const text = await getText(api, path, { container, tailLines: String(MOST_LINES), ...query });
      return text.slice(-MOST_CHARACTERS);
    };
    const restarted = status?.containerStatuses?.some((one) => one.name === container && one.restartCount > 0);
    const file = `logs/${spec?.nodeName}/${metadata?.name}.${container}`;
    const before = { path: `${file}.before.log`, read: log({ previous: "true" }) };
    return [{ path: `${file}.log`, read: log({}) }, ...(restarted ? [before] : [])];
  });
}
