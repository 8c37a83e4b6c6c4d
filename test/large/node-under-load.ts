// One machine with a real agent and the part of an API server that it uses.
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { nodeAsInPods } from "../../components/dataplane/heap.ts";
import { createBareLab } from "../../lab/machines/bare.ts";
import { enterArgv, runIn } from "../../lab/machines/enter.ts";
import { removeLab } from "../../lab/machines/removal.ts";
import { isAgentReady, program } from "../datapath/cluster/bare-agents.ts";
import { block, namespace, node, pod, pool } from "../datapath/cluster/objects.ts";
import { until } from "../datapath/cluster/until.ts";
import type { ApiObject, ApiStep } from "./api-server.ts";
import { type Answers, ASKER_PODS, cniCall, SHIM } from "./asker.ts";

const KUBECONFIG = {
  apiVersion: "v1",
  kind: "Config",
  clusters: [{ name: "c", cluster: { server: "http://127.0.0.1:8001", "insecure-skip-tls-verify": true } }],
  users: [{ name: "u", user: {} }],
  contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
  "current-context": "c",
};

const MACHINE = "master";
const local = (name: string) => ({ name, node: MACHINE, labels: { app: "web" }, address: "" }) as const;

/** A program of the machine that answers each line with a line. */
class Dialogue {
  readonly process: ChildProcess;
  readonly #lines: Interface;
  #errors = "";
  constructor(process: ChildProcess) {
    this.process = process;
    this.#lines = createInterface({ input: process.stdout as NodeJS.ReadableStream });
    process.stderr?.on("data", (text: Buffer) => {
      this.#errors += text;
    });
  }
  next(): Promise<string> {
    return new Promise((resolve, reject) => {
      const over = () => reject(new Error(`A program of the machine ended: ${this.#errors}`));
      this.#lines.once("close", over);
      this.#lines.once("line", (line) => {
        this.#lines.off("close", over);
        resolve(line);
      });
    });
  }
  async say(line: string): Promise<string> {
    const answer = this.next();
    this.process.stdin?.write(`${line}\n`);
    return answer;
  }
}

export class NodeUnderLoad {
  readonly #lab: string;
  readonly #api: Dialogue;
  #agent: ChildProcess | undefined;
  #log = "";
  ended: number | null | undefined;

  private constructor(lab: string, api: Dialogue) {
    this.#lab = lab;
    this.#api = api;
  }

  static async start(): Promise<NodeUnderLoad> {
    const lab = `l${process.pid.toString(36)}${(Date.now() % 46_656).toString(36)}`;
    await createBareLab(lab, [{ name: MACHINE, address: "172.31.1.8" }]);
    const api = new Dialogue(spawnIn(lab, [process.execPath, join(import.meta.dirname, "api-server.ts"), "8001"]));
    const made = new NodeUnderLoad(lab, api);
    try {
      await api.next();
      const names = Array.from({ length: ASKER_PODS }, (_, index) => `asker-${index}`);
      const pods = ["steady", ...names].map((name) => pod(local(name)));
      await made.apply(node(MACHINE), namespace("default"), namespace("loud"), pool("Never"));
      await made.apply(block("10.244.0.0/26", MACHINE), ...pods);
      await runIn(lab, MACHINE, ["sh", "-c", "cat > /tmp/kubeconfig"], { input: JSON.stringify(KUBECONFIG) });
      await made.startAgent();
      await made.#addSteady();
      return made;
    } catch (error) {
      await made.close();
      throw error;
    }
  }

  async startAgent(): Promise<void> {
    const options = {
      kubeconfig: "/tmp/kubeconfig",
      node: MACHINE,
      "cgroup-root": "/sys/fs/cgroup",
      "sysctl-root": "/proc/sys",
      "run-directory": "/run/ebpf-dataplane",
      "cni-bin": "/opt/cni/bin",
      "cni-conf": "/etc/cni/net.d",
    };
    const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    // As its DaemonSet starts it.
    const agent = spawnIn(this.#lab, [...nodeAsInPods(), program, "agent", ...words]);
    this.#agent = agent;
    agent.once("exit", (status) => {
      this.ended = status;
    });
    const record = (text: Buffer) => {
      this.#log = (this.#log + text).slice(-6000);
    };
    for (const stream of [agent.stdout, agent.stderr]) stream?.on("data", record);
    await until(
      "the agent to be ready",
      () => isAgentReady(this.#lab, MACHINE),
      () => this.#log,
    );
  }

  /** A permanent pod, so that policies are in force independent of the asker. */
  async #addSteady(): Promise<void> {
    await runIn(this.#lab, MACHINE, ["ip", "netns", "add", "steady"]);
    const { env, configuration } = cniCall("ADD", "steady");
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const { status, stdout } = await runIn(this.#lab, MACHINE, ["env", ...variables, SHIM], { input: configuration });
    if (status !== 0) throw new Error(`The first pod has no network: ${stdout}${this.#log}`);
  }

  get log(): string {
    return this.#log;
  }

  async apply(...put: ApiObject[]): Promise<void> {
    await this.#step({ put });
  }

  async remove(...objects: ApiObject[]): Promise<void> {
    await this.#step({ remove: objects });
  }

  async #step(step: ApiStep): Promise<void> {
    await this.#api.say(JSON.stringify(step));
  }

  /** Sends requests while `work` runs, and until nothing is pending any more. */
  async ask(work: () => Promise<void>): Promise<Answers> {
    const asker = new Dialogue(spawnIn(this.#lab, [process.execPath, join(import.meta.dirname, "asker.ts")]));
    await asker.next();
    await new Promise((resolve) => setTimeout(resolve, 500));
    await work();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const answer = asker.next();
    asker.process.stdin?.end();
    return JSON.parse(await answer) as Answers;
  }

  async metric(name: string): Promise<number> {
    const ask = `fetch("http://127.0.0.1:9098/metrics").then((r) => r.text()).then(console.log)`;
    const { stdout } = await runIn(this.#lab, MACHINE, [process.execPath, "-e", ask]);
    const line = stdout
      .split("\n")
      .find((one) => one.startsWith(`ebpf_dataplane_${name} `) || one.startsWith(`ebpf_dataplane_${name}{`));
    return Number(line?.split(" ").at(-1));
  }

  /** Waits until the map has this many entries. */
  async holds(map: string, least: number, seconds = 900): Promise<void> {
    const end = Date.now() + seconds * 1000;
    while (!((await this.metric(`map_entries{map="${map}"}`)) >= least)) {
      if (this.ended !== undefined) throw new Error(`The agent exited with ${this.ended}:\n${this.#log}`);
      if (Date.now() > end) throw new Error(`Waited ${seconds} s for ${least} ${map}.\n${this.#log}`);
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }

  async close(): Promise<void> {
    this.#agent?.kill("SIGKILL");
    this.#api.process.kill("SIGKILL");
    await removeLab(this.#lab);
  }
}

function spawnIn(lab: string, argv: string[]): ChildProcess {
  const [file = "", ...words] = enterArgv(lab, MACHINE, argv);
  return spawn(file, words, { stdio: ["pipe", "pipe", "pipe"] });
}
