// Machines without Kubernetes: a real agent on each node reads its objects from files, pods are network namespaces that
// the real CNI plugin wires, and every packet is real. A cluster is up in a few seconds.
import type { ChildProcess } from "node:child_process";
import type { OutcomeTotals } from "../../../agent/kernel/outcomes.ts";
import { createBareLab } from "../../../lab/machines/bare.ts";
import { removeLab } from "../../../lab/machines/removal.ts";
import type { AttemptResult, Probe } from "../../../probe/batch.ts";
import { BareAgents } from "./bare-agents.ts";
import { BarePods } from "./bare-pods.ts";
import { Machines } from "./machines.ts";
import { ObjectFiles } from "./object-files.ts";
import {
  block,
  type ClientName,
  clients,
  type KubernetesObject,
  type NodeName,
  namespace,
  node,
  nodes,
  pool,
  poolIpv6,
  routedNodeIpv6,
  routedSubnets,
  type Stack,
} from "./objects.ts";
import { networkOf, type Placed } from "./placed.ts";
import { prepareKernels, prepareLinks } from "./prepare.ts";
import { Probers } from "./probers.ts";
import { outcomeTotals } from "./totals.ts";
import { until } from "./until.ts";

export { program } from "./bare-agents.ts";
export { probeServer } from "./bare-pods.ts";
export { until } from "./until.ts";

/** `client1`, a node's name, or `<namespace>/<pod>`. */
export type From = ClientName | NodeName | `${string}/${string}`;
export type Asked = Partial<Probe> & { to: string };

export interface BareClusterOptions {
  vxlanMode?: "Always" | "CrossSubnet" | "Never";
  /** "dual": nodes and pods have addresses of both families. "IPv6": machines have no IPv4 address but their loopback's. */
  stack?: Stack;
  /** Whether a router connects two subnets: master and client1 are in the one, node and client2, behind links of 1400 bytes, in the other. */
  routed?: boolean;
  /** Of every machine's link; 1500 by default. */
  mtu?: number;
  /** "clsact": as on a kernel without TCX. */
  attach?: "auto" | "clsact";
  /** Agents may use XDP on the machines' links, which are veth pairs: what clients send has its checksums then, and the switch takes what XDP sends. */
  xdp?: boolean;
  /** Agents read and write objects at a server (object-server.ts, on client2) instead of reading files. */
  server?: boolean;
  /** Of every agent (settings.json). */
  settings?: Record<string, unknown>;
  /** Changes the machines' network before agents start. */
  prepare?: (lab: string) => Promise<void>;
}

export class BareCluster {
  readonly #lab: string;
  readonly #machines: Machines;
  readonly #objects: ObjectFiles;
  readonly #agents: BareAgents;
  readonly #pods: BarePods;
  readonly #probers: Probers;

  private constructor(lab: string, { attach = "auto", xdp = false }: BareClusterOptions) {
    this.#lab = lab;
    this.#machines = new Machines(lab);
    this.#objects = new ObjectFiles(this.#machines);
    const options = ["--attach", attach, "--xdp", xdp ? "veth" : "cards"];
    this.#agents = new BareAgents(this.#machines, this.#objects, options);
    this.#pods = new BarePods(this.#machines, this.#objects);
    this.#probers = new Probers((machine, argv) => this.#machines.spawn(machine, argv, "pipe"));
    this.#machines.more = (machine) => this.#agents.log(machine);
  }

  static async start(options: BareClusterOptions = {}): Promise<BareCluster> {
    const { vxlanMode = "CrossSubnet", stack = "IPv4" } = options;
    const lab = `t${process.pid.toString(36)}${(Date.now() % 46_656).toString(36)}`;
    const machines = Object.entries({ ...nodes, ...clients }).map(([name, address]) => ({
      ...{ name, address },
      ...(options.mtu !== undefined && { link: { mtu: options.mtu } }),
    }));
    const router = { name: "router", role: "router", address: "172.31.1.1" };
    if (options.routed) await createBareLab(lab, [router, ...machines], routedSubnets);
    else await createBareLab(lab, machines);
    const cluster = new BareCluster(lab, options);
    try {
      await prepareKernels(cluster.#machines);
      if (options.xdp) await prepareLinks(cluster.#machines);
      await options.prepare?.(lab);
      cluster.#objects.write("settings.json", options.settings ?? {});
      if (options.server) await cluster.#objects.serve();
      cluster.apply(
        node("master", undefined, stack),
        node("node", undefined, stack, options.routed ? routedNodeIpv6 : undefined),
        namespace("default"),
      );
      if (stack !== "IPv6") {
        cluster.apply(pool(vxlanMode), block("10.244.0.0/26", "master"), block("10.244.1.0/26", "node"));
      } else {
        const flush = ({ name }: { name: string }) =>
          cluster.#machines.run(name, ["ip", "-4", "address", "flush", "dev", "eth0"]);
        await Promise.all(machines.map(flush));
      }
      if (stack !== "IPv4") {
        cluster.apply(poolIpv6(vxlanMode));
        cluster.apply(block("fd00:10:244::/122", "master"), block("fd00:10:244:1::/122", "node"));
      }
      await Promise.all([cluster.startAgent("master"), cluster.startAgent("node")]);
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#agents.close();
    this.#objects.close();
    this.#probers.close();
    await removeLab(this.#lab);
  }

  /** Writes objects as kubectl apply would: the same name replaces. */
  apply(...objects: KubernetesObject[]): void {
    this.#objects.apply(...objects);
  }

  remove(...objects: KubernetesObject[]): void {
    this.#objects.remove(...objects);
  }

  /** Waits until every running agent has carried out all that was applied and removed before: in maps, routes and pods' interfaces. An
   * answer by one node does not tell that the other one is as far. Not with `server`, whose kinds of objects come in any order. */
  carriedOut(): Promise<void> {
    return this.#agents.carriedOut();
  }

  /** Starts a node's agent and waits until it reports that it is ready. */
  startAgent(name: NodeName): Promise<void> {
    return this.#agents.start(name);
  }

  ready(name: NodeName): Promise<void> {
    return this.#agents.ready(name);
  }

  /** The end of what a node's agents have logged. */
  log(name: NodeName): string {
    return this.#agents.log(name);
  }

  /** What a path of the API names at the server. */
  at<T>(path: string): Promise<T> {
    return this.#objects.at(path);
  }

  /** Ends a node's agent as the kubelet does. */
  endAgent(name: NodeName): Promise<void> {
    return this.#agents.end(name, "SIGTERM");
  }

  /** Kills a node's agent as the kernel would: no chance to tidy up. */
  killAgent(name: NodeName): Promise<void> {
    return this.#agents.end(name, "SIGKILL");
  }

  /** Waits until a node's agent has ended by itself, and starts the next one, as its container does. */
  agentStartsAgain(name: NodeName): Promise<void> {
    return this.#agents.startAgain(name);
  }

  /** Makes a pod that answers on TCP ports 80 and 81 and UDP port 80 with whom it saw. */
  addPod(name: string, on: NodeName, labels: Record<string, string>, ports?: Placed["ports"]): Promise<Placed> {
    return this.placePod({ name, node: on, labels, address: "", ports }, ["--tcp", "80,81", "--udp", "80"]);
  }

  /** Makes a pod of any namespace. @param listens of its probe server */
  placePod(wanted: Placed, listens: readonly string[]): Promise<Placed> {
    return this.#pods.add(wanted, listens);
  }

  /** Waits until both agents have carried out a change of the pool's encapsulation: pods of every node have its MTU, and no node wraps
   * any more for what the other one has left. */
  async podsHaveMtu(mtu: number): Promise<void> {
    for (const placed of this.#pods.all()) {
      const [network, { node }] = [networkOf(placed), placed];
      const link = ["nsenter", `--net=/run/netns/${network}`, "ip", "link", "show", "dev", "eth0"];
      const has = async () => (await this.#machines.run(node, link)).includes(` mtu ${mtu} `);
      await until(`the pod ${network} to have an MTU of ${mtu}`, has, () => this.log(node));
    }
  }

  async removePod(name: string): Promise<void> {
    this.#probers.end(this.#pods.placed(name).node, name);
    await this.#pods.remove(name);
  }

  /** Sends probes and gives what each attempt showed, in order. */
  async probe(from: From, ...asked: Asked[]): Promise<AttemptResult[]> {
    const [namespace = "", name] = from.split("/");
    const inPod = name === undefined ? undefined : networkOf({ name, namespace });
    const machine = inPod === undefined ? namespace : this.#pods.placed(inPod).node;
    const batch = asked.map(({ to, ...rest }, index): Probe => {
      const at = to.lastIndexOf(":");
      const [host, port] = [to.slice(0, at).replace(/^\[(.*)\]$/, "$1"), to.slice(at + 1)];
      const id = String(index);
      return { id, token: "t", host, port: Number(port), protocol: "tcp", timeoutMs: 1500, count: 1, ...rest };
    });
    const results = await this.#probers.send(machine, inPod, batch);
    return results.sort((a, b) => Number(a.id) - Number(b.id) || a.attempt - b.attempt);
  }

  /** One probe in words: "allowed default/web saw 172.31.1.55", "dropped", "rejected". */
  async see(from: From, to: string, options: Partial<Probe> = {}): Promise<string> {
    const [result] = await this.probe(from, { to, ...options });
    if (result?.verdict !== "allowed") return result?.verdict ?? "no result";
    return `allowed ${result.server} saw ${result.source}`;
  }

  /** Runs a program in a machine and gives its output; fails when it fails. */
  run(machine: NodeName | ClientName | "router", argv: string[], input = ""): Promise<string> {
    return this.#machines.run(machine, argv, input);
  }

  /** A long-running program in a machine, or in a pod's network namespace; it ends with the cluster. */
  spawn(machine: NodeName | ClientName | "router", argv: string[], input: "ignore" | "pipe" = "ignore"): ChildProcess {
    return this.#machines.spawn(machine, argv, input);
  }

  totals(name: NodeName): OutcomeTotals {
    return outcomeTotals(this.#lab, name);
  }

  /** How many packets ended in each outcome on a node so far. */
  async outcomes(name: NodeName): Promise<Record<string, number>> {
    return Object.fromEntries([...this.totals(name)].map(([outcome, { packets }]) => [outcome, Number(packets)]));
  }

  /** The page that a node's agent shows to Prometheus. */
  metrics(name: NodeName): Promise<string> {
    return this.#machines.run(name, ["curl", "--silent", "--show-error", "http://127.0.0.1:9098/metrics"]);
  }
}
