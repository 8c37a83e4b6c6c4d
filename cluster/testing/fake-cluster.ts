import type { V1Node, V1Pod } from "@kubernetes/client-node";
import { ApiRefusal, ApiUnreachable } from "../../kubernetes/errors.ts";
import type { Api, ApiRequest } from "../../kubernetes/transport.ts";

/** A fake cluster that advances by requests: each request moves pending work one step further. */
export class FakeCluster implements Api {
  readonly nodes: V1Node[];
  pods: V1Pod[] = [];
  /** Completed actions, in order. */
  readonly done: string[] = [];
  /** Number of evictions to refuse before one is allowed. */
  held = 0;
  /** The step that fails, as "NODE STEP". */
  failing = "";
  /** Number of requests to leave unanswered. */
  away = 0;

  constructor(...nodes: [name: string, release: string][]) {
    this.nodes = nodes.map(([name, release]) => ({
      metadata: {
        name,
        labels: { [name === "master" ? "node-role.kubernetes.io/control-plane" : "worker"]: "" },
        annotations: {},
      },
      spec: {},
      status: {
        conditions: [{ type: "Ready", status: "True" }],
        nodeInfo: { kubeletVersion: release, architecture: "amd64" } as NonNullable<V1Node["status"]>["nodeInfo"],
      },
    }));
  }

  node(name: string): V1Node {
    return this.nodes.find(({ metadata }) => metadata?.name === name) as V1Node;
  }

  /** Adds a pod of a Deployment; with an empty owner, a pod without one. */
  addPod(name: string, node: string, owner: string | undefined = "ReplicaSet"): void {
    const ownerReferences = owner
      ? [{ kind: owner, controller: true, apiVersion: "apps/v1", name: owner, uid: owner }]
      : [];
    this.pods.push({
      metadata: { name, namespace: "default", uid: name, ownerReferences },
      spec: { nodeName: node, containers: [] },
      status: { phase: "Running" },
    });
  }

  readonly server = "https://fake";

  async send(request: ApiRequest): Promise<string> {
    const { method, path, body, query } = request;
    if (path.endsWith("/log")) return "[ERROR CreateJob]: it did not complete\n";
    if (this.away-- > 0) throw new ApiUnreachable({ server: this.server, ...request }, "it restarts");
    const answer = this.#answer(`${method} ${path}`, body, query?.fieldSelector?.replace("spec.nodeName=", ""));
    return JSON.stringify(answer ?? {});
  }

  #answer(request: string, body: unknown, onNode: string | undefined): unknown {
    const [, pod = "", action] = /\/pods\/([^/]+)(\/eviction)?$/.exec(request) ?? [];
    if (request.startsWith("GET /api/v1/nodes") && /proxy\/(running)?pods\/?$/.test(request)) return { items: [] };
    if (request === "GET /api/v1/nodes") return { items: this.nodes };
    if (request.startsWith("PATCH /api/v1/nodes/")) return this.#patch(request.split("/").at(-1) ?? "", body as V1Node);
    if (request === "GET /api/v1/pods") return { items: this.pods.filter(({ spec }) => spec?.nodeName === onNode) };
    if (action) return this.#evict(pod);
    if (request.startsWith("POST")) return this.#begin(body as V1Pod);
    const found = this.pods.find(({ metadata }) => metadata?.name === pod);
    if (!found) throw new ApiRefusal(404, "NotFound", "no such pod");
    if (request.startsWith("DELETE")) this.pods = this.pods.filter((other) => other !== found);
    else this.#comeOn(found);
    return found;
  }

  #patch(name: string, { metadata, spec }: V1Node): void {
    const node = this.node(name);
    node.spec = { ...node.spec, ...spec };
    node.metadata = { ...node.metadata, annotations: { ...node.metadata?.annotations } };
    for (const [key, value] of Object.entries(metadata?.annotations ?? {})) {
      if (value === null) delete node.metadata.annotations?.[key];
      else (node.metadata.annotations as Record<string, string>)[key] = value;
    }
    this.done.push(`${spec?.unschedulable ? "cordon" : "uncordon"} ${name}`);
  }

  #evict(name: string): void {
    if (this.held-- > 0) throw new ApiRefusal(429, "TooManyRequests", "the disruption budget");
    this.pods = this.pods.filter(({ metadata }) => metadata?.name !== name);
    this.done.push(`evict ${name}`);
  }

  #begin(pod: V1Pod): void {
    this.pods.push({ ...pod, status: { phase: "Running" } });
  }

  #comeOn(pod: V1Pod): void {
    const [step, release] = pod.spec?.containers[0]?.command?.slice(-2) ?? [];
    const name = pod.spec?.nodeName ?? "";
    if (!step || pod.status?.phase !== "Running") return;
    const fails = this.failing === `${name} ${step}`;
    pod.status = { phase: fails ? "Failed" : "Succeeded" };
    this.done.push(`${step} ${name}${fails ? " failed" : ""}`);
    const info = this.node(name).status?.nodeInfo;
    if (!fails && step === "kubelet" && info) info.kubeletVersion = `${release}+relinked`;
  }
}
