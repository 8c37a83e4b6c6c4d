// Machines without Kubernetes: a real agent on each node reads its objects from files, pods are network namespaces that
// the real CNI plugin wires, and every packet is real. A cluster is up in a few seconds.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { OutcomeTotals } from "../../agent/kernel/outcomes.ts";
import { createBareLab } from "../../lab/machines/bare.ts";
import { run } from "../../lab/machines/command.ts";
import { enterArgv, runIn } from "../../lab/machines/enter.ts";
import { hasIpv6, setInNamespace } from "../../lab/machines/namespaces.ts";
import { removeLab } from "../../lab/machines/removal.ts";
import { inSwitch, portOf } from "../../lab/machines/switch.ts";
import { machineDisk, machineNamespace } from "../../lab/names.ts";
import type { AttemptResult, Probe } from "../../probe/batch.ts";
import {
  block,
  type ClientName,
  clients,
  type KubernetesObject,
  type NodeName,
  namespace,
  node,
  nodes,
  pod,
  pool,
  poolIpv6,
  routedNodeIpv6,
  routedSubnets,
  type Stack,
} from "./objects.ts";
import type { Placed } from "./placed.ts";
import { Probers } from "./probers.ts";
import { outcomeTotals } from "./totals.ts";

const root = join(import.meta.dirname, "..", "..");
export const program = join(root, "dist", "agent.js");
const cniConfiguration = { cniVersion: "1.0.0", name: "ebpf-dataplane", type: "ebpf-dataplane" };

/** The command of a server that answers with whom it saw, as this pod. */
export function probeServer(name: `${string}/${string}`, ...listens: string[]): string[] {
  const [namespace, pod] = name.split("/");
  const identity = ["env", `POD_NAMESPACE=${namespace}`, `POD_NAME=${pod}`];
  return [...identity, process.execPath, program, "probe-server", ...listens];
}

/** `client1`, a node's name, or `default/<pod>`. */
export type From = ClientName | NodeName | `default/${string}`;
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
}

const SERVER_PORT = 8001;

/** Tests ask from ports from 40000 on by their number. The kernel gives sockets others: one that has such a port, or had it a minute ago, would
 * keep the test from it. */
const SOCKET_PORTS = "net.ipv4.ip_local_port_range=47000 60999";

/** An object with a fault, and how an agent reports it. */
const MARK = "mark-";
const reservation = { apiVersion: "projectcalico.org/v3", kind: "IPReservation", spec: { reservedCIDRs: "none" } };
const marked = new RegExp(`IPReservation\\S* ${MARK}(\\d+),`);

export class BareCluster {
  readonly #lab: string;
  readonly #options: readonly string[];
  readonly #agents = new Map<NodeName, ChildProcess>();
  readonly #pods = new Map<string, Placed>();
  readonly #logs = new Map<string, string>();
  /** Nodes whose agent has said that it is ready: asking it before costs as much as its start. */
  readonly #saidReady = new Set<NodeName>();
  /** The last mark that each agent has reported (`carriedOut`). */
  readonly #reached = new Map<NodeName, number>();
  #marks = 0;
  #server: ChildProcess | undefined;
  readonly #probers = new Probers((machine, argv) => this.#spawn(machine, argv, "pipe"));

  private constructor(lab: string, { attach = "auto", xdp = false }: BareClusterOptions) {
    this.#lab = lab;
    this.#options = ["--attach", attach, "--xdp", xdp ? "veth" : "cards"];
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
      for (const folder of cluster.#folders()) mkdirSync(folder);
      await cluster.#prepareKernels();
      if (options.xdp) await cluster.#prepareLinks();
      cluster.#write("settings.json", options.settings ?? {});
      if (options.server) await cluster.#serve();
      cluster.apply(
        node("master", undefined, stack),
        node("node", undefined, stack, options.routed ? routedNodeIpv6 : undefined),
        namespace("default"),
      );
      if (stack !== "IPv6") {
        cluster.apply(pool(vxlanMode), block("10.244.0.0/26", "master"), block("10.244.1.0/26", "node"));
      } else {
        const flush = ({ name }: { name: string }) =>
          cluster.#run(name, ["ip", "-4", "address", "flush", "dev", "eth0"]);
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

  async #prepareKernels(): Promise<void> {
    // A Linux host sends one other host a burst of six ICMP errors, then one a second: what is refused after that has no answer.
    const everyRefusal = ["net.ipv4.icmp_ratelimit=0", ...(hasIpv6() ? ["net.ipv6.icmp.ratelimit=0"] : [])];
    const set = (name: string, ...settings: string[]) =>
      setInNamespace(machineNamespace(this.#lab, name), `prepare the kernel settings of ${name}`, settings);
    await Promise.all([
      ...Object.keys(nodes).map((name) => set(name, ...everyRefusal, SOCKET_PORTS)),
      ...Object.keys(clients).map((name) => set(name, SOCKET_PORTS)),
    ]);
  }

  async #prepareLinks(): Promise<void> {
    const change = [process.execPath, join(root, "agent", "kernel", "offload.fixture.ts")];
    const ports = Object.keys(nodes).map((name) => portOf(name, "eth0"));
    await Promise.all([
      ...Object.keys(clients).map((name) => this.#run(name, [...change, "tx-checksum", "off", "eth0"])),
      run([...inSwitch(this.#lab), ...change, "gro", "on", ...ports]),
    ]);
  }

  async close(): Promise<void> {
    for (const agent of this.#agents.values()) agent.kill("SIGKILL");
    this.#server?.kill("SIGKILL");
    this.#probers.close();
    await removeLab(this.#lab);
  }

  /** Writes objects as kubectl apply would: the same name replaces. Agents see each file at once or not at all. */
  apply(...objects: KubernetesObject[]): void {
    for (const object of objects) {
      this.#server?.stdin?.write(`${JSON.stringify(object)}\n`);
      for (const folder of this.#folders()) {
        const file = join(folder, fileOf(object));
        writeFileSync(`${file}.new`, JSON.stringify(object));
        renameSync(`${file}.new`, file);
      }
    }
  }

  remove(...objects: KubernetesObject[]): void {
    for (const object of objects) {
      this.#server?.stdin?.write(`${JSON.stringify({ remove: object })}\n`);
      for (const folder of this.#folders()) rmSync(join(folder, fileOf(object)));
    }
  }

  /** Waits until every running agent has carried out all that was applied and removed before: in maps, routes and pods' interfaces. An
   * answer by one node does not tell that the other one is as far. Not with `server`, whose kinds of objects come in any order. */
  async carriedOut(): Promise<void> {
    // At the end of a pass an agent reports the faults of the objects that the pass has carried out. A new file, so that an agent that
    // reads it reads what was written earlier.
    const mark = ++this.#marks;
    const faulty = { ...reservation, metadata: { name: `${MARK}${mark}` } };
    this.apply(faulty);
    for (const name of this.#agents.keys())
      await until(
        `the agent of ${name} to carry out what was applied`,
        async () => (this.#reached.get(name) ?? 0) >= mark,
        () => this.log(name),
      );
    this.remove(faulty);
  }

  /** Starts a node's agent and waits until it reports that it is ready. */
  async startAgent(name: NodeName): Promise<void> {
    const paths = [
      "--run-directory",
      "/run/ebpf-dataplane",
      "--cni-bin",
      "/opt/cni/bin",
      "--cni-conf",
      "/etc/cni/net.d",
    ];
    const where = [
      ...(this.#server ? ["--kubeconfig", "/tmp/kubeconfig.json"] : ["--objects", "/tmp/objects"]),
      ...["--settings", "/tmp/settings.json"],
      "--node",
      name,
      "--cgroup-root",
      "/sys/fs/cgroup",
      "--sysctl-root",
      "/proc/sys",
      ...paths,
    ];
    const agent = this.#spawn(name, [process.execPath, program, "agent", ...where, ...this.#options]);
    this.#agents.set(name, agent);
    this.#saidReady.delete(name);
    let line = "";
    const record = (text: Buffer | string) => {
      const lines = (line + text).split("\n");
      line = lines.pop() ?? "";
      for (const one of lines) {
        const mark = marked.exec(one);
        // Of an earlier mark it is said later that it is gone.
        if (mark) this.#reached.set(name, Math.max(this.#reached.get(name) ?? 0, Number(mark[1])));
        else this.#logs.set(name, `${this.#logs.get(name) ?? ""}${one}\n`.slice(-3000));
        if (one.includes('"ready: ')) this.#saidReady.add(name);
      }
    };
    for (const stream of [agent.stdout, agent.stderr]) stream?.on("data", record);
    agent.once("close", (code, signal) => record(`the agent of ${name} ended with ${code ?? signal}\n`));
    await this.ready(name);
  }

  async ready(name: NodeName): Promise<void> {
    await until(
      `agent of ${name} to be ready`,
      async () => this.#saidReady.has(name) && (await isAgentReady(this.#lab, name)),
      () => this.#logs.get(name) ?? "",
    );
  }

  /** The end of what a node's agents have logged. */
  log(name: NodeName): string {
    return this.#logs.get(name) ?? "";
  }

  /** What a path of the API names at the server. */
  async at<T>(path: string): Promise<T> {
    const url = `https://127.0.0.1:${SERVER_PORT}${path}`;
    return JSON.parse(await this.#run("client2", ["curl", "--silent", "--insecure", url])) as T;
  }

  /** Ends a node's agent as the kubelet does. */
  async endAgent(name: NodeName): Promise<void> {
    await this.#kill(name, "SIGTERM");
  }

  /** Kills a node's agent as the kernel would: no chance to tidy up. */
  async killAgent(name: NodeName): Promise<void> {
    await this.#kill(name, "SIGKILL");
  }

  /** Waits until a node's agent has ended by itself, and starts the next one, as its container does. */
  async agentStartsAgain(name: NodeName): Promise<void> {
    const agent = this.#agents.get(name);
    if (agent?.exitCode === null) await new Promise((resolve) => agent.once("exit", resolve));
    await this.startAgent(name);
  }

  async #kill(name: NodeName, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const agent = this.#agents.get(name);
    if (!agent) throw new Error(`No agent runs on ${name}.`);
    const gone = new Promise((resolve) => agent.once("exit", resolve));
    agent.kill(signal);
    await gone;
    this.#agents.delete(name);
  }

  async #serve(): Promise<void> {
    const server = this.#spawn(
      "client2",
      [process.execPath, join(import.meta.dirname, "object-server.ts"), String(SERVER_PORT)],
      "pipe",
    );
    this.#server = server;
    await new Promise((resolve) => server.stdout?.once("data", resolve));
    this.#write("kubeconfig.json", {
      "current-context": "server",
      contexts: [{ name: "server", context: { cluster: "server" } }],
      clusters: [
        {
          name: "server",
          cluster: { server: `https://${clients.client2}:${SERVER_PORT}`, "insecure-skip-tls-verify": true },
        },
      ],
    });
  }

  /** A file in each node's /tmp. */
  #write(name: string, document: object): void {
    for (const folder of this.#folders()) writeFileSync(join(folder, "..", name), JSON.stringify(document));
  }

  /** Makes a pod that answers on TCP and UDP port 80 with whom it saw. */
  async addPod(name: string, on: NodeName, labels: Record<string, string>, ports?: Placed["ports"]): Promise<Placed> {
    await this.#run(on, ["ip", "netns", "add", name]);
    await this.#run(on, ["nsenter", `--net=/run/netns/${name}`, "sysctl", "--quiet", "--write", SOCKET_PORTS]);
    this.apply(pod({ name, node: on, labels, address: "", ports })); // kubelet's order: the pod is known before its network is made
    const [address = "", addressIpv6] = await this.#cni(on, name, "ADD");
    const placed = { name, node: on, labels, address, addressIpv6, ports };
    this.#pods.set(name, placed);
    this.apply(pod(placed));
    const server = probeServer(`default/${name}`, "--tcp", "80,81", "--udp", "80");
    let said = "";
    this.#spawn(on, ["nsenter", `--net=/run/netns/${name}`, ...server]).stderr?.on("data", (text) => {
      said = (said + text).slice(-3000);
    });
    const answers = async () => said.includes(" answers on ");
    await until(`pod ${name} to listen`, answers, () => said);
    return placed;
  }

  /** Waits until both agents have carried out a change of the pool's encapsulation: pods of every node have its MTU, and no node wraps
   * any more for what the other one has left. */
  async podsHaveMtu(mtu: number): Promise<void> {
    for (const { name, node } of this.#pods.values()) {
      const link = ["nsenter", `--net=/run/netns/${name}`, "ip", "link", "show", "dev", "eth0"];
      const has = async () => (await this.#run(node, link)).includes(` mtu ${mtu} `);
      await until(`the pod ${name} to have an MTU of ${mtu}`, has, () => this.log(node));
    }
  }

  async removePod(name: string): Promise<void> {
    const placed = this.#placed(name);
    this.#probers.end(placed.node, name);
    await this.#cni(placed.node, name, "DEL");
    await this.#run(placed.node, ["ip", "netns", "delete", name]);
    this.remove(pod(placed));
    this.#pods.delete(name);
  }

  /** Sends probes and gives what each attempt showed, in order. */
  async probe(from: From, ...asked: Asked[]): Promise<AttemptResult[]> {
    const inPod = from.startsWith("default/") ? from.slice("default/".length) : undefined;
    const machine = inPod === undefined ? from : this.#placed(inPod).node;
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
    return this.#run(machine, argv, input);
  }

  /** A long-running program in a machine, or in a pod's network namespace; it ends with the cluster. */
  spawn(machine: NodeName | ClientName | "router", argv: string[], input: "ignore" | "pipe" = "ignore"): ChildProcess {
    return this.#spawn(machine, argv, input);
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
    return this.#run(name, ["curl", "--silent", "--show-error", "http://127.0.0.1:9098/metrics"]);
  }

  /** Each node's /tmp/objects, as the host sees it. */
  #folders(): string[] {
    return Object.keys(nodes).map((name) => join(machineDisk(this.#lab, name), "tmp", "objects"));
  }

  #placed(name: string): Placed {
    const placed = this.#pods.get(name);
    if (!placed) throw new Error(`No pod ${name} in this cluster.`);
    return placed;
  }

  /** Returns the pod's addresses. */
  async #cni(on: NodeName, name: string, command: "ADD" | "DEL"): Promise<string[]> {
    const variables = [
      `CNI_COMMAND=${command}`,
      `CNI_CONTAINERID=${name}`,
      `CNI_NETNS=/run/netns/${name}`,
      "CNI_IFNAME=eth0",
      "CNI_PATH=/opt/cni/bin",
      `CNI_ARGS=K8S_POD_NAMESPACE=default;K8S_POD_NAME=${name};K8S_POD_UID=${name}`,
    ];
    const input = JSON.stringify(cniConfiguration);
    const answer = await this.#run(on, ["env", ...variables, "/opt/cni/bin/ebpf-dataplane"], input);
    if (command === "DEL") return [];
    const { ips } = JSON.parse(answer) as { ips: { address: string }[] };
    return ips.map(({ address }) => address.split("/")[0] ?? "");
  }

  async #run(machine: string, argv: string[], input = ""): Promise<string> {
    const { status, stdout, stderr } = await runIn(this.#lab, machine, argv, { input });
    if (status !== 0)
      throw new Error(
        `${argv.join(" ")} on ${machine} ended with ${status}:\n${stdout}${stderr}${this.#logs.get(machine) ?? ""}`,
      );
    return stdout;
  }

  #spawn(machine: string, argv: string[], input: "ignore" | "pipe" = "ignore"): ChildProcess {
    const [file = "", ...args] = enterArgv(this.#lab, machine, argv);
    return spawn(file, args, { stdio: [input, "pipe", "pipe"] });
  }
}

/** Whether the machine's agent reports that it is ready. */
export async function isAgentReady(lab: string, machine: string): Promise<boolean> {
  const ask = ["curl", "--silent", "--fail", "--output", "/dev/null", "http://127.0.0.1:9099/ready"];
  return (await runIn(lab, machine, ask)).status === 0;
}

function fileOf({ apiVersion, kind, metadata }: KubernetesObject): string {
  const group = apiVersion.startsWith("projectcalico.org/") ? "calico-" : "";
  return `${group}${kind.toLowerCase()}-${metadata.namespace ?? "cluster"}-${metadata.name}.json`;
}

/** A limit that only a hang reaches, however busy the machine is. */
const PATIENCE_S = 150;

/** Waits for evidence, bounded. It asks less often the longer it takes: most questions start programs, which keep others waiting. */
export async function until(what: string, holds: () => Promise<boolean>, more = () => ""): Promise<void> {
  const end = Date.now() + PATIENCE_S * 1000;
  for (let pause = 50; !(await holds()); pause = Math.min(1.3 * pause, 500)) {
    if (Date.now() > end) throw new Error(`Waited ${PATIENCE_S} s for ${what}.\n${more()}`);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
