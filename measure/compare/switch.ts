import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { V1DaemonSet } from "@kubernetes/client-node";
import { AGENT } from "../../components/dataplane/names.ts";
import { type HandOver, handOver } from "../../components/dataplane/service-handling.ts";
import type { KubernetesObject } from "../../components/documents/check.ts";
import { KUBE_PROXY_IMAGE } from "../../components/release/kubernetes-release.ts";
import { until } from "../../kubernetes/patience.ts";
import { type Binding, namespaceIn } from "../../kubernetes/subject-namespace.ts";
import type { ComparedMode } from "../../report/results/compare.ts";
import type { Ledger } from "../../verify/engine/ledger.ts";
import type { World } from "../../verify/engine/world.ts";
import { modeFacts } from "./modes.ts";
import type { Target } from "./target.ts";

const run = promisify(execFile);

/** Timeout for kube-proxy to be rolled out or removed, seconds. */
const patienceSeconds = 180;
const pauseMs = 200;

/** Switches services to a mode. All changes go through the ledger, which restores the declared state. */
export class ModeSwitch {
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #target: Target;
  readonly #enterClients: string[][];
  #apiServer: { host: string; port: string } | undefined;
  #current: ComparedMode | undefined;
  #routed = false;

  /** @param enterClients by client: the command prefix that runs a command there */
  constructor(world: World, ledger: Ledger, target: Target, enterClients: string[][]) {
    this.#world = world;
    this.#ledger = ledger;
    this.#target = target;
    this.#enterClients = enterClients;
  }

  /** Resolves when the API server reports the objects as in force; probes must check the packets. */
  async to(mode: ComparedMode): Promise<void> {
    if (mode === this.#current) return;
    const { handling, returnMode } = modeFacts[mode];
    this.#apiServer ??= await this.#findApiServer();
    const { before, configuration, after } = handOver(handling, returnMode, {
      namespace: await this.#agentNamespace(),
      image: KUBE_PROXY_IMAGE,
      apiServer: this.#apiServer,
    });
    await this.#handOver(before, configuration, after);
    await this.#route(mode === "Direct");
    this.#current = mode;
  }

  /** Removes the clients' routes to the pod; the ledger restores objects. */
  async restore(): Promise<void> {
    await this.#route(false);
  }

  async #handOver(before: HandOver["before"], configuration: HandOver["configuration"], after: HandOver["after"]) {
    for (const object of before) await this.#ledger.apply(asObject(object));
    for (const object of before) if (object.kind === "DaemonSet") await this.#until(asObject(object), isRolledOut);
    await this.#ledger.apply(asObject(configuration));
    const left = await this.#there(after.map(asObject));
    for (const object of left) await this.#ledger.delete(object);
    for (const object of left) await this.#until(object, (stored) => stored === undefined);
  }

  /** The floor: clients send the pod's packets to the pod's own node, as a router between them would. */
  async #route(wanted: boolean): Promise<void> {
    if (wanted === this.#routed) return;
    const { podAddress, podNode, ipv6 } = this.#target;
    const routes = [["-4", podAddress, podNode.address]];
    if (ipv6) routes.push(["-6", ipv6.podAddress, podNode.addressIpv6 ?? ""]);
    this.#routed = wanted || this.#routed;
    for (const [file = "", ...args] of this.#enterClients)
      for (const [family = "", pod = "", node = ""] of routes) {
        const words = wanted ? ["replace", pod, "via", node] : ["delete", pod];
        await run(file, [...args, "ip", family, "route", ...words], { timeout: 30_000 });
      }
    this.#routed = wanted;
  }

  async #there(objects: KubernetesObject[]): Promise<KubernetesObject[]> {
    const found = await Promise.all(objects.map((object) => this.#world.objects.read(object)));
    return objects.filter((_, index) => found[index]);
  }

  async #until(object: KubernetesObject, holds: (stored: unknown) => boolean): Promise<void> {
    const { clock, objects } = this.#world;
    const wanted = holds === isRolledOut ? "ready on every node" : "gone";
    const look = async () => (holds(await objects.read(object)) ? undefined : `not ${wanted}`);
    const missing = await until(look, patienceSeconds, () => {}, { clock, everyMs: pauseMs });
    if (missing) throw new Error(`${object.kind} ${object.metadata.name}: ${missing} after ${patienceSeconds} s`);
  }

  async #agentNamespace(): Promise<string> {
    const binding = {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: AGENT },
    };
    return namespaceIn((await this.#world.objects.read(binding)) as Binding | undefined) ?? AGENT;
  }

  /** The API server's own address from the agent's configuration, which kube-proxy needs as well. */
  async #findApiServer(): Promise<{ host: string; port: string }> {
    const daemonSet = (await this.#world.objects.read({
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      metadata: { name: AGENT, namespace: await this.#agentNamespace() },
    })) as V1DaemonSet | undefined;
    const variables = daemonSet?.spec?.template.spec?.containers.flatMap(({ env }) => env ?? []) ?? [];
    const value = (name: string) => variables.find((one) => one.name === name)?.value;
    const [host, port] = [value("KUBERNETES_SERVICE_HOST"), value("KUBERNETES_SERVICE_PORT")];
    if (!host || !port)
      throw new Error(
        `DaemonSet ${AGENT}/${AGENT} has no address of the API server: is the dataplane deployed (make up)?`,
      );
    return { host, port };
  }
}

const asObject = (object: object): KubernetesObject => JSON.parse(JSON.stringify(object)) as KubernetesObject;

function isRolledOut(stored: unknown): boolean {
  const { metadata, status } = (stored ?? {}) as V1DaemonSet;
  if (!status || (status.observedGeneration ?? 0) < (metadata?.generation ?? 1)) return false;
  const { desiredNumberScheduled: wanted, updatedNumberScheduled = 0, numberAvailable = 0 } = status;
  return wanted > 0 && updatedNumberScheduled === wanted && numberAvailable === wanted;
}
