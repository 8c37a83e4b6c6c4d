import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { runIn } from "../../../lab/machines/enter.ts";
import type { Machines } from "./machines.ts";
import type { ObjectFiles } from "./object-files.ts";
import type { NodeName } from "./objects.ts";
import { until } from "./until.ts";

export const program = join(import.meta.dirname, "..", "..", "..", "dist", "agent.js");

/** An object with a fault, and how an agent reports it. */
const MARK = "mark-";
const reservation = { apiVersion: "projectcalico.org/v3", kind: "IPReservation", spec: { reservedCIDRs: "none" } };
const marked = new RegExp(`IPReservation\\S* ${MARK}(\\d+),`);

/** The agents of a bare cluster's nodes. */
export class BareAgents {
  readonly #machines: Machines;
  readonly #objects: ObjectFiles;
  readonly #options: readonly string[];
  readonly #agents = new Map<NodeName, ChildProcess>();
  readonly #logs = new Map<string, string>();
  /** Nodes whose agent has said that it is ready: asking it before costs as much as its start. */
  readonly #saidReady = new Set<NodeName>();
  /** The last mark that each agent has reported (`carriedOut`). */
  readonly #reached = new Map<NodeName, number>();
  #marks = 0;
  /** Told of each mark. */
  readonly #looking = new Set<() => void>();

  constructor(machines: Machines, objects: ObjectFiles, options: readonly string[]) {
    this.#machines = machines;
    this.#objects = objects;
    this.#options = options;
  }

  /** Waits until every running agent has carried out all that was applied and removed before. */
  async carriedOut(): Promise<void> {
    // At the end of a pass an agent reports the faults of the objects that the pass has carried out. A new file, so that an agent that
    // reads it reads what was written earlier.
    const mark = ++this.#marks;
    const faulty = { ...reservation, metadata: { name: `${MARK}${mark}` } };
    this.#objects.apply(faulty);
    await Promise.all([...this.#agents.keys()].map((name) => this.#reach(name, mark)));
    this.#objects.remove(faulty);
  }

  /** Until the agent has reported the mark: its line is not looked for, it tells. */
  async #reach(name: NodeName, mark: number): Promise<void> {
    const isReached = () => (this.#reached.get(name) ?? 0) >= mark;
    const what = `the agent of ${name} to carry out what was applied`;
    let look = () => {};
    const told = new Promise<void>((resolve) => {
      look = () => isReached() && resolve();
    });
    this.#looking.add(look);
    await Promise.race([
      told,
      until(
        what,
        async () => isReached(),
        () => this.log(name),
      ),
    ]);
    this.#looking.delete(look);
  }

  /** Starts a node's agent and waits until it reports that it is ready. */
  async start(name: NodeName): Promise<void> {
    const where = [
      ...(this.#objects.isServed ? ["--kubeconfig", "/tmp/kubeconfig.json"] : ["--objects", "/tmp/objects"]),
      ...["--settings", "/tmp/settings.json", "--node", name],
      ...["--cgroup-root", "/sys/fs/cgroup", "--sysctl-root", "/proc/sys"],
      ...["--run-directory", "/run/ebpf-dataplane", "--cni-bin", "/opt/cni/bin", "--cni-conf", "/etc/cni/net.d"],
    ];
    const agent = this.#machines.spawn(name, [process.execPath, program, "agent", ...where, ...this.#options]);
    this.#agents.set(name, agent);
    this.#saidReady.delete(name);
    let line = "";
    const record = (text: Buffer | string) => {
      const lines = (line + text).split("\n");
      line = lines.pop() ?? "";
      for (const one of lines) {
        const mark = marked.exec(one);
        // Of an earlier mark it is said later that it is gone.
        if (mark) {
          this.#reached.set(name, Math.max(this.#reached.get(name) ?? 0, Number(mark[1])));
          for (const look of this.#looking) look();
        } else this.#logs.set(name, `${this.log(name)}${one}\n`.slice(-3000));
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
      async () => this.#saidReady.has(name) && (await isAgentReady(this.#machines.lab, name)),
      () => this.log(name),
    );
  }

  /** The end of what a node's agents have logged. */
  log(name: string): string {
    return this.#logs.get(name) ?? "";
  }

  /** Waits until a node's agent has ended by itself, and starts the next one, as its container does. */
  async startAgain(name: NodeName): Promise<void> {
    const agent = this.#agents.get(name);
    if (agent?.exitCode === null) await new Promise((resolve) => agent.once("exit", resolve));
    await this.start(name);
  }

  /** Ends a node's agent: SIGTERM as the kubelet does, SIGKILL as the kernel would, without a chance to tidy up. */
  async end(name: NodeName, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const agent = this.#agents.get(name);
    if (!agent) throw new Error(`No agent runs on ${name}.`);
    const gone = new Promise((resolve) => agent.once("exit", resolve));
    agent.kill(signal);
    await gone;
    this.#agents.delete(name);
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.kill("SIGKILL");
  }
}

/** Whether the machine's agent reports that it is ready. */
export async function isAgentReady(lab: string, machine: string): Promise<boolean> {
  const ask = ["curl", "--silent", "--fail", "--output", "/dev/null", "http://127.0.0.1:9099/ready"];
  return (await runIn(lab, machine, ask)).status === 0;
}
