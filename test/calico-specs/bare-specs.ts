// Check files with real packets and without Kubernetes: their pods are network namespaces of a bare cluster, whose agents read objects from files.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Check, Expectation, KubernetesObject, ObjectReference } from "../../components/documents/check.ts";
import type { AttemptResult } from "../../probe/batch.ts";
import { readChecks } from "../../verify/format/read.ts";
import type { Asked, BareCluster, From } from "../datapath/cluster/bare-cluster.ts";
import { type ClientName, clients, type NodeName, nodes, pod } from "../datapath/cluster/objects.ts";
import type { Placed } from "../datapath/cluster/placed.ts";
import { serveProbes } from "../datapath/traffic/serving.ts";

/** Of an answer that must not come. One that must come may take its time: the machine may be busy. */
const SILENCE_MS = 300;
const PATIENCE_MS = 30_000;

interface PodObject extends KubernetesObject {
  spec: {
    nodeName: NodeName;
    serviceAccountName?: string;
    containers: { args: string[]; ports?: Placed["ports"] }[];
  };
}
interface ServiceObject extends KubernetesObject {
  spec: { selector: Record<string, string>; ports: { name: string; port: number; targetPort?: number }[] };
}

/** One file's check. */
export function checkOf(file: string): Check {
  const path = join(import.meta.dirname, `${file}.check.yaml`);
  const [check] = readChecks(readFileSync(path, "utf8"), file);
  if (!check) throw new Error(`${path} has no check`);
  return check;
}

export class BareSpecs {
  readonly #cluster: BareCluster;
  readonly #pods = new Map<string, Placed>();
  readonly #services = new Map<string, ServiceObject>();
  /** What is applied now, without pods and what is made of Services. */
  readonly #objects = new Map<string, KubernetesObject>();
  readonly #slices = new Map<string, KubernetesObject>();
  readonly #listening = new Set<string>();

  constructor(cluster: BareCluster) {
    this.#cluster = cluster;
  }

  /** Applies what a file needs, and waits until its servers listen. */
  async begin({ setup, listen }: Check): Promise<void> {
    const isPod = ({ apiVersion, kind }: KubernetesObject) => `${apiVersion} ${kind}` === "v1 Pod";
    this.#apply(setup.filter((object) => !isPod(object)));
    await Promise.all([
      ...setup.filter(isPod).map((object) => this.#place(object as PodObject)),
      ...listen.map(({ at, tcp = [], udp = [] }) => {
        const sockets = [...tcp.map((port) => `tcp:${port}` as const), ...udp.map((port) => `udp:${port}` as const)];
        const place = at.text.replace("node/", "") as NodeName;
        const fresh = sockets.filter((socket) => !this.#listening.has(`${place} ${socket}`));
        for (const socket of fresh) this.#listening.add(`${place} ${socket}`);
        return fresh.length > 0 ? serveProbes(this.#cluster, place, `machine/${place}`, ...fresh) : undefined;
      }),
    ]);
    this.#publish();
  }

  /** Applies and deletes what a step says. */
  step({ apply, delete: gone }: Pick<Check["steps"][number], "apply" | "delete">): void {
    this.#apply(apply);
    for (const reference of gone) this.#delete(reference);
    this.#publish();
  }

  /** Deletes everything but pods, which later files may have too. */
  end(): void {
    for (const object of [...this.#objects.values()].reverse()) this.#cluster.remove(object);
    this.#objects.clear();
    this.#services.clear();
    this.#publish();
  }

  /** The rows that show something else than they expect, in words. */
  async wrong(expected: readonly Expectation[]): Promise<string[]> {
    const byPlace = Map.groupBy(expected, ({ from }) => from.text);
    const found = await Promise.all(
      [...byPlace].map(async ([from, rows]) => {
        const place = from.replace(/^(?:pod|node)\//, "") as From;
        const results = await this.#cluster.probe(place, ...rows.map((row) => this.#asked(row)));
        return rows.flatMap((row, index) => {
          const [wanted, seen] = [wantedText(row), seenText(row, results[index])];
          return wanted === seen ? [] : [`${from} to ${row.to.text}: expected ${wanted}, saw ${seen}`];
        });
      }),
    );
    return found.flat();
  }

  #asked({ to, verdict, sourcePort, icmp }: Expectation): Asked {
    const { protocol, host, port } = to.value;
    const at = host.kind === "address" ? host.address : this.#addressOf(to.text);
    return {
      to: `${at}:${port}`,
      protocol,
      timeoutMs: verdict === "allowed" ? PATIENCE_MS : SILENCE_MS,
      ...(sourcePort !== undefined && { sourcePort }),
      ...(icmp && { icmp }),
    };
  }

  #addressOf(to: string): string {
    const [, kind, namespace = "", name = ""] = /^\w+:\/\/(pod|service)\/([^/]+)\/([^/:]+)/.exec(to) ?? [];
    const key = `${namespace}/${name}`;
    const found = kind === "pod" ? this.#pods.get(key)?.address : this.#clusterIps.get(key);
    if (found === undefined) throw new Error(`${to} is nothing in this cluster`);
    return found;
  }

  #apply(objects: readonly KubernetesObject[]): void {
    for (const object of objects) {
      const { apiVersion, kind, metadata } = object;
      if (`${apiVersion} ${kind}` === "v1 Pod") this.#relabel(object as PodObject);
      else if (`${apiVersion} ${kind}` === "v1 Service") this.#services.set(nameOf(object), object as ServiceObject);
      else {
        const labels = { ...(metadata.labels as object), "kubernetes.io/metadata.name": metadata.name };
        const whole = kind === "Namespace" ? { ...object, metadata: { ...metadata, labels } } : object;
        this.#objects.set(keyOf(object), whole);
        this.#cluster.apply(whole);
      }
    }
  }

  #delete(reference: ObjectReference): void {
    const object = this.#objects.get(keyOf(reference));
    if (!object) throw new Error(`${keyOf(reference)} is not there to be deleted`);
    this.#objects.delete(keyOf(reference));
    this.#cluster.remove(object);
  }

  async #place({ metadata, spec }: PodObject): Promise<void> {
    const key = `${metadata.namespace}/${metadata.name}`;
    if (this.#pods.has(key)) return;
    const [{ args, ports = [] } = { args: [] }] = spec.containers;
    const wanted: Placed = {
      ...{ name: metadata.name, namespace: metadata.namespace, node: spec.nodeName, address: "", ports },
      ...{ labels: metadata.labels as Record<string, string>, serviceAccount: spec.serviceAccountName ?? "default" },
    };
    this.#pods.set(key, await this.#cluster.placePod(wanted, args.slice(1)));
  }

  /** A pod that is applied once more has other labels. */
  #relabel({ metadata }: PodObject): void {
    const placed = this.#pods.get(`${metadata.namespace}/${metadata.name}`);
    if (!placed) throw new Error(`${metadata.namespace}/${metadata.name} is no pod of the setup`);
    const labelled = { ...placed, labels: metadata.labels as Record<string, string> };
    this.#pods.set(`${metadata.namespace}/${metadata.name}`, labelled);
    this.#cluster.apply(pod(labelled));
  }

  readonly #clusterIps = new Map<string, string>();

  /** Services with addresses, and their pods as the EndpointSlice controller would show them. */
  #publish(): void {
    const wanted = new Map<string, KubernetesObject>();
    for (const [key, service] of this.#services) {
      const { metadata, spec } = service;
      const clusterIP = this.#clusterIps.get(key) ?? `10.96.1.${this.#clusterIps.size + 1}`;
      this.#clusterIps.set(key, clusterIP);
      const ports = spec.ports.map((port) => ({ protocol: "TCP", targetPort: port.port, ...port }));
      const whole = { ...service, spec: { type: "ClusterIP", ...spec, ports, clusterIP, clusterIPs: [clusterIP] } };
      wanted.set(`Service ${key}`, whole);
      const backends = [...this.#pods.values()].filter(
        ({ namespace, labels }) =>
          namespace === metadata.namespace &&
          Object.entries(spec.selector).every(([name, value]) => labels[name] === value),
      );
      wanted.set(`EndpointSlice ${key}`, {
        ...{ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", addressType: "IPv4" },
        metadata: {
          ...{ name: `${metadata.name}-1`, namespace: metadata.namespace },
          labels: { "kubernetes.io/service-name": metadata.name },
        },
        ports: ports.map(({ name, protocol, targetPort }) => ({ name, protocol, port: targetPort })),
        endpoints: backends.map(({ address, node }) => ({
          ...{ addresses: [address], nodeName: node },
          conditions: { ready: true, serving: true, terminating: false },
        })),
      });
    }
    for (const [key, object] of this.#slices) if (!wanted.has(key)) this.#cluster.remove(object);
    for (const [key, object] of wanted)
      if (JSON.stringify(this.#slices.get(key)) !== JSON.stringify(object)) this.#cluster.apply(object);
    this.#slices.clear();
    for (const [key, object] of wanted) this.#slices.set(key, object);
  }
}

const nameOf = ({ metadata }: ObjectReference): string => `${metadata.namespace ?? ""}/${metadata.name}`;
const keyOf = (object: ObjectReference): string => `${object.apiVersion} ${object.kind} ${nameOf(object)}`;

function wantedText({ verdict, source }: Expectation): string {
  return source ? `${verdict} from ${source.map(({ text }) => text).join(" or ")}` : verdict;
}

/** In the words of the expectation. */
function seenText({ source }: Expectation, result: AttemptResult | undefined): string {
  const verdict = result?.verdict ?? "no result";
  if (verdict === "none") return `nothing: ${result?.error}`;
  if (!source || verdict !== "allowed") return verdict;
  const known = source.find(({ text }) => addressOf(text) === result?.source);
  return `allowed from ${known ? source.map(({ text }) => text).join(" or ") : result?.source}`;
}

const machines: Record<string, string> = { ...clients, ...nodes };
const addressOf = (text: string): string => machines[text.replace("node/", "") as ClientName] ?? text;
