import type { V1Pod } from "@kubernetes/client-node";
import { ApiRefusal } from "../../kubernetes/errors.ts";
import type { ObjectId } from "../../kubernetes/object.ts";
import type { AttemptResult, Probe } from "../../probe/batch.ts";
import type { CapturedPacket } from "../../probe/capture.ts";
import { nameOf } from "../../probe/namespaces.ts";
import type { SocketState } from "../../probe/sockets.ts";
import type { Occasion } from "../../report/results/occasion.ts";
import type { NodeActor } from "../actors/actor.ts";
import type { StoredObject } from "../cluster/objects.ts";
import type { ClusterView } from "../cluster/view.ts";
import type { Machine, World } from "./world.ts";

/** FIXTURE of when and where. */
export const fixtureOccasion: Occasion = {
  begunAt: "2026-11-21T14:05:00.000Z",
  endedAt: "2026-11-21T14:05:31.000Z",
  cluster: { server: "https://172.31.1.8:6443", id: "0f2e6a1c-5b8f-4e57-9f3e-2f6d1f0c7a11", kubernetes: "v1.35.0" },
  version: "0.1.0",
  commit: "2ea30cf94139",
};

/** The seed's cluster, as far as a check can see it, in memory; time passes only when somebody sleeps. */
export class FakeWorld implements World {
  machines: Machine[] = [
    { name: "client1", address: "172.31.1.55" },
    { name: "client2", address: "172.31.1.162" },
  ];
  objectsNow = new Map<string, StoredObject>();
  /** Everything done to objects, in order. */
  journal: string[] = [];
  /** Errors that the next calls of apply throw. */
  refusals: Error[] = [];
  /** Errors with which probers of kept sockets are lost at the next batches. */
  sendFailures: Error[] = [];
  /** Why probe servers ended by themselves. */
  serversDied: string | undefined;
  /** Who was ready and who sent, in order. */
  order: string[] = [];
  batches: { from: string; batch: Probe[] }[] = [];
  /** What kernels hold for pods' sockets, by NAMESPACE/NAME. */
  held = new Map<string, SocketState[]>();
  captured: CapturedPacket[] = [];
  filters: string[] = [];
  logLines: string[] = [];
  said: string[] = [];
  readonly stopper = new AbortController();
  stopping = this.stopper.signal;
  cluster: ClusterView = seedCluster();
  /** How a probe comes out; attempts of one probe all do. */
  answer: (from: string, probe: Probe) => Omit<AttemptResult, "id" | "attempt"> = () => ({ verdict: "dropped" });
  #now = 0;

  clock = {
    now: () => this.#now,
    sleep: async (milliseconds: number) => {
      this.#now += milliseconds;
    },
  };
  occasion = async () => () => fixtureOccasion;
  view = async () => this.cluster;
  log = async () => this.logLines;
  progress = (message: string) => void this.said.push(message);
  waiting = (message: string) => void this.said.push(message);
  machine = (name: string) => this.#actor(name);
  node = (name: string) => this.#actor(`node/${name}`);
  openNodes = async () => {};

  objects = {
    read: async (id: ObjectId) => this.objectsNow.get(keyOf(id)),
    apply: async (object: StoredObject) => {
      const refusal = this.refusals.shift();
      if (refusal) throw refusal;
      this.journal.push(`apply ${keyOf(object)}`);
      this.objectsNow.set(keyOf(object), structuredClone(object));
    },
    delete: async (id: ObjectId) => {
      this.journal.push(`delete ${keyOf(id)}`);
      this.objectsNow.delete(keyOf(id));
    },
    restore: async (object: StoredObject) => {
      this.journal.push(`restore ${keyOf(object)}`);
      this.objectsNow.set(keyOf(object), object);
    },
  };

  #sent(from: string, batch: Probe[]): AttemptResult[] {
    this.batches.push({ from, batch });
    this.#now += 10;
    return batch.flatMap((probe) =>
      Array.from({ length: probe.count }, (_, index) => ({
        id: probe.id,
        attempt: index + 1,
        ...this.answer(from, probe),
      })),
    );
  }

  #actor(from: string): NodeActor {
    return {
      prepare: async (batch) => {
        this.order.push(`ready ${from}`);
        return {
          send: async () => {
            this.order.push(`send ${from}`);
            return this.#sent(from, batch);
          },
        };
      },
      keep: async () => {
        this.journal.push(`keep ${from}`);
        return {
          send: async (batch) => {
            const lost = this.sendFailures.shift();
            if (lost) throw lost;
            return this.#sent(from, batch);
          },
          close: async () => void this.journal.push(`close ${from}`),
        };
      },
      listen: async ({ tcp, udp }, name) => {
        const refusal = this.refusals.shift();
        if (refusal) throw refusal;
        this.journal.push(`listen ${from} tcp ${tcp} udp ${udp} as ${name}`);
        return {
          stop: async () => {
            this.journal.push(`stop ${name}`);
            return this.serversDied;
          },
        };
      },
      sockets: async (pods) => new Map(pods.map(nameOf).map((name) => [name, this.held.get(name) ?? []])),
      capture: async (filter) => {
        this.filters.push(filter);
        return { stop: async () => this.captured };
      },
    };
  }
}

function keyOf({ kind, metadata }: ObjectId): string {
  return `${kind} ${metadata.name}`;
}

export function pod(
  name: string,
  node: string,
  address: string | undefined,
  labels: Record<string, string> = {},
): V1Pod {
  return {
    metadata: { namespace: "default", name, labels, uid: `uid-of-${name}` },
    spec: { nodeName: node, containers: [{ name: "main" }] },
    status: { phase: address ? "Running" : "Pending", podIP: address },
  };
}

export const serviceAccountMissing = new ApiRefusal(
  403,
  "Forbidden",
  'pods "a" is forbidden: error looking up service account',
);

function seedCluster(): ClusterView {
  const node = (name: string, address: string) => ({
    metadata: { name },
    status: { addresses: [{ type: "InternalIP", address }] },
  });
  const agent = (name: string) => ({
    ...pod(`agent-${name}`, name, "172.31.1.8", { "k8s-app": "ebpf-dataplane" }),
    metadata: { namespace: "ebpf-dataplane", name: `agent-${name}`, labels: { "k8s-app": "ebpf-dataplane" } },
  });
  const nginx = { name: "nginx", namespace: "default" };
  return {
    agentNamespace: "ebpf-dataplane",
    nodes: [node("master", "172.31.1.8"), node("node", "172.31.1.207")],
    pods: [
      agent("master"),
      agent("node"),
      pod("nginx-1", "node", "10.244.1.2", { app: "nginx" }),
      pod("web-0", "master", "10.244.0.2", { app: "web" }),
    ],
    services: [
      { metadata: nginx, spec: { clusterIP: "10.102.27.139", ports: [{ port: 80, nodePort: 30604 }] } },
      {
        metadata: { namespace: "kube-system", name: "kube-dns", labels: { "k8s-app": "kube-dns" } },
        spec: { clusterIP: "10.96.0.10" },
      },
    ],
    endpointSlices: [
      {
        addressType: "IPv4",
        metadata: { namespace: "default", labels: { "kubernetes.io/service-name": "nginx" } },
        endpoints: [{ addresses: ["10.244.1.2"], targetRef: { kind: "Pod", namespace: "default", name: "nginx-1" } }],
      },
    ],
  };
}
