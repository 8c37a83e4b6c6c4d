// The classes of cyclonus' cases (test/model/policy-classes) with real packets: in every step, every pod asks every other one over TCP and UDP at both ports, at
// its own address and at its Service's. Two peers in one rule are asked of the compiled maps alone, and so is SCTP. Sets of namespaces in one
// cluster can share a class's cases.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AttemptResult } from "../../probe/batch.ts";
import { classesAround } from "../model/policy-classes/classes.ts";
import { CONTAINER_PORTS, reaches, START, type State } from "../model/policy-classes/state.ts";
import { type Asked, BareCluster, type From } from "./cluster/bare-cluster.ts";
import { type KubernetesObject, namespace, pod, service } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";

/** Of an answer that must not come. One that must come may take its time: the machine may be busy. */
const SILENCE_MS = 300;
const PATIENCE_MS = 30_000;
/** A prober that got no processor says so, and nothing of the network. */
const ASKED_AGAIN = 5;
/** How many sets of namespaces share the cases. On two busy processors two sets took longer than one: 17.7 s and 12.1 s for one class. */
const WORLDS = 1;
const LISTENS = ["--tcp", "80,81", "--udp", "80,81"];
const SERVED = CONTAINER_PORTS.filter(({ protocol }) => protocol !== "SCTP");
const TARGETS = [
  { protocol: "TCP", port: 80, byService: true },
  { protocol: "TCP", port: 81, byService: false },
  { protocol: "UDP", port: 80, byService: false },
  { protocol: "UDP", port: 81, byService: true },
] as const;

let cluster: BareCluster;
let worlds: World[] = [];
let clusterIps = 0;

beforeAll(async () => {
  cluster = await BareCluster.start({ vxlanMode: "Always" });
  worlds = Array.from({ length: WORLDS }, (_, index) => new World(`-${index + 1}`));
  await Promise.all(worlds.map((world) => world.become(START)));
});
afterAll(() => cluster?.close());

const namespaceObject = (name: string, labels: Readonly<Record<string, string>>): KubernetesObject => {
  const object = namespace(name);
  return { ...object, metadata: { ...object.metadata, labels: { "kubernetes.io/metadata.name": name, ...labels } } };
};
const policyObject = (policy: State["policies"][number]): KubernetesObject => ({
  ...{ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" },
  ...policy,
});
const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

/** Namespaces of their own with the pods of one state after the other. Rules may mean pods of other worlds too; those are never asked. */
class World {
  readonly #suffix: string;
  readonly #placed = new Map<string, Placed>();
  readonly #clusterIps = new Map<string, string>();
  #now: State = { policies: [], namespaces: {}, pods: {} };

  /** @param suffix of the names of its namespaces */
  constructor(suffix: string) {
    this.#suffix = suffix;
  }

  /** @param name in a state: "z/c" */
  placeOf(name: string): Placed {
    const [of, own] = name.split("/");
    return this.#placedAs(`${of}${this.#suffix}/${own}`);
  }

  #placedAs(name: string): Placed {
    const found = this.#placed.get(name);
    if (!found) throw new Error(`no pod ${name}`);
    return found;
  }

  /** The state in this world's namespaces. */
  #own({ policies, namespaces, pods }: State): State {
    const named = (name: string) => name.replace(/^[^/]+/, (of) => `${of}${this.#suffix}`);
    const keyed = <T>(all: Readonly<Record<string, T>>) =>
      Object.fromEntries(Object.entries(all).map(([name, value]) => [named(name), value]));
    const own = policies.map(({ metadata, spec }) => ({
      metadata: { ...metadata, namespace: named(metadata.namespace) },
      spec: JSON.parse(JSON.stringify(spec), (key, value) =>
        key === "kubernetes.io/metadata.name" ? named(value) : value,
      ) as typeof spec,
    }));
    return { policies: own, namespaces: keyed(namespaces), pods: keyed(pods) };
  }

  /** A Service of one pod, with all that it serves. */
  #serviceOf(name: string, backend: Placed): KubernetesObject[] {
    const clusterIP = this.#clusterIps.get(name) ?? `10.96.1.${++clusterIps}`;
    this.#clusterIps.set(name, clusterIP);
    const ports = SERVED.map(({ name: port, containerPort, protocol }) => ({
      name: port,
      protocol,
      port: containerPort,
    }));
    const metadata = { name: name.replace("/", "-"), namespace: "default" };
    const slice = { ...metadata, labels: { "kubernetes.io/service-name": metadata.name } };
    return [
      service(metadata.name, { clusterIP, nodePort: 0, spec: { type: "ClusterIP", ports } }),
      {
        ...{ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", metadata: slice, addressType: "IPv4", ports },
        endpoints: [{ addresses: [backend.address], nodeName: backend.node, conditions: { ready: true } }],
      },
    ];
  }

  /** Makes the world so, with as few changes as tell it from what it was. */
  async become(wanted: State): Promise<void> {
    const [state, now] = [this.#own(wanted), this.#now];
    for (const [name, labels] of Object.entries(state.namespaces))
      if (!isSame(now.namespaces[name], labels)) cluster.apply(namespaceObject(name, labels));
    const kept = new Set(state.policies.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`));
    cluster.apply(...state.policies.map(policyObject));
    const gone = now.policies.filter(({ metadata }) => !kept.has(`${metadata.namespace}/${metadata.name}`));
    cluster.remove(...gone.map(policyObject));
    for (const name of Object.keys(now.pods).filter((one) => !state.pods[one])) {
      cluster.remove(...this.#serviceOf(name, this.#placedAs(name)));
      await cluster.removePod(name.replace("/", "."));
      this.#placed.delete(name);
    }
    await Promise.all(
      Object.entries(state.pods).map(([name, labels], index) =>
        this.#place(name, labels, index % 2 ? "node" : "master"),
      ),
    );
    const left = Object.entries(now.namespaces).filter(([name]) => !state.namespaces[name]);
    cluster.remove(...left.map(([name, labels]) => namespaceObject(name, labels)));
    this.#now = state;
    await cluster.carriedOut();
  }

  async #place(name: string, labels: Readonly<Record<string, string>>, node: "master" | "node"): Promise<void> {
    const [of = "", own = ""] = name.split("/");
    const wanted = { name: own, namespace: of, node, address: "", ports: SERVED } as const;
    const before = this.#placed.get(name);
    const after = before ? { ...before, labels } : await cluster.placePod({ ...wanted, labels }, LISTENS);
    this.#placed.set(name, after);
    if (before && !isSame(before.labels, labels)) cluster.apply(pod(after));
    if (!before) cluster.apply(...this.#serviceOf(name, after));
  }

  /** The pairs that see something else than the documentation says, in words. */
  async wrong(): Promise<{ wrong: string[]; refused: number; packets: number }> {
    const state = this.#now;
    const names = Object.keys(state.pods);
    const rows = await Promise.all(
      names.map(async (from) => {
        const asked = names
          .filter((name) => name !== from)
          .flatMap((to) =>
            TARGETS.map(({ byService, ...target }) => ({
              ...{ from, to, target, byService },
              right: reaches(state, (name) => this.#placedAs(name).address, [from, to], target),
            })),
          );
        const seen = await this.#ask(from, asked);
        return asked.map((row, index) => ({ ...row, seen: seen[index] }));
      }),
    );
    const all = rows.flat();
    const differing = all.flatMap(({ from, to, target, byService, right, seen }) => {
      const says = seen?.verdict === "allowed" && seen.server === to ? "allowed" : (seen?.verdict ?? "nothing");
      const said = right ? "allowed" : "dropped";
      if (says === said) return [];
      return [
        `${from} → ${to} ${target.protocol} ${target.port}${byService ? " by its Service" : ""}: expected ${said}, saw ${says}`,
      ];
    });
    return { wrong: differing, refused: all.filter(({ right }) => !right).length, packets: all.length };
  }

  async #ask(from: string, asked: readonly Question[]): Promise<(AttemptResult | undefined)[]> {
    const probes = asked.map(({ to, target, byService, right }): Asked => {
      const address = byService ? this.#clusterIps.get(to) : this.#placedAs(to).address;
      const protocol = target.protocol === "TCP" ? "tcp" : "udp";
      return { to: `${address}:${target.port}`, protocol, timeoutMs: right ? PATIENCE_MS : SILENCE_MS };
    });
    const seen: (AttemptResult | undefined)[] = await cluster.probe(from as From, ...probes);
    for (let again = 0; again < ASKED_AGAIN; again++) {
      const open = seen.flatMap((one, index) => (one?.verdict === "none" ? [index] : []));
      if (open.length === 0) break;
      const results = await cluster.probe(from as From, ...open.map((index) => probes[index] as Asked));
      for (const [place, index] of open.entries()) seen[index] = results[place];
    }
    return seen;
  }
}

interface Question {
  readonly to: string;
  readonly target: Omit<(typeof TARGETS)[number], "byService">;
  readonly byService: boolean;
  readonly right: boolean;
}

const CLASSES = Object.entries(classesAround("0.0.0.0")).filter(([name]) => name !== "two peers");

test.each(CLASSES)("%s", async (name, { length }) => {
  const [found, total] = [[] as string[], { refused: 0, packets: 0 }];
  let next = 0;
  const work = async (world: World) => {
    // Blocks are around the address of a pod of this world.
    const cases = classesAround(world.placeOf("z/c").address)[name] ?? [];
    for (let one = cases[next++]; one; one = cases[next++])
      for (const [index, state] of one.steps.entries()) {
        await world.become(state);
        const seen = await world.wrong();
        total.refused += seen.refused;
        total.packets += seen.packets;
        found.push(...seen.wrong.map((text) => `${one.name}, step ${index + 1}: ${text}`));
      }
  };
  await Promise.all(worlds.map(work));
  expect(found).toEqual([]);
  expect(next).toBe(length + WORLDS);
  expect(total.refused).toBeGreaterThan(0);
  expect(total.packets).toBeGreaterThan(total.refused);
});
