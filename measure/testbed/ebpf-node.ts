// A node with this project's agent: the bundle, its CNI plugin and its programs, as the DaemonSet runs them.

import { join } from "node:path";
import { nodeAsInPods } from "../../components/dataplane/heap.ts";
import type { AgentSettings } from "../../components/documents/agent-settings.ts";
import { packageFolder } from "../../lab/installation.ts";
import { kubeconfigPath, type TestbedApiServer } from "./api-server.ts";
import { addByCni, type BenchPod } from "./bench-pod.ts";
import { pod } from "./kubernetes-objects.ts";
import { type RunningProgram, type TestbedMachine, waitUntilHealthy } from "./testbed-machine.ts";

const program = join(packageFolder, "dist", "agent.js");
const settingsPath = "/etc/ebpf-dataplane/settings.json";

export class EbpfNode {
  readonly machine: TestbedMachine;
  readonly #api: TestbedApiServer;
  #agent: RunningProgram | undefined;
  #settings: Partial<AgentSettings> = {};

  constructor(machine: TestbedMachine, api: TestbedApiServer) {
    this.machine = machine;
    this.#api = api;
  }

  /** Starts the agent. @param settings its own: `mtu` of the uplink (pods get 50 less, room for VXLAN), more `uplinks` */
  async start(settings: Partial<AgentSettings> = {}): Promise<void> {
    this.#settings = settings;
    await this.#api.writeKubeconfig(this.machine);
    await this.machine.write(settingsPath, JSON.stringify(settings));
    await this.startAgent();
  }

  async startAgent(): Promise<void> {
    const where = [
      "--node",
      this.machine.name,
      "--kubeconfig",
      kubeconfigPath,
      "--cgroup-root",
      "/sys/fs/cgroup",
      "--sysctl-root",
      "/proc/sys",
    ];
    const cni = ["--cni-bin", "/opt/cni/bin", "--cni-conf", "/etc/cni/net.d"];
    const agent = this.machine.start("agent", [...nodeAsInPods(), program, "agent", ...where, ...cni]);
    this.#agent = agent;
    await waitUntilHealthy(this.machine, "http://127.0.0.1:9099/ready", agent);
  }

  /** The agent's metrics, in Prometheus' text format. */
  async metrics(): Promise<string> {
    const read = "fetch('http://127.0.0.1:9098/metrics').then((answer) => answer.text()).then(console.log)";
    return this.machine.run([process.execPath, "-e", read]);
  }

  /** MiB of memory that the agent has in use (Rss of smaps_rollup). */
  async memoryMiB(): Promise<number> {
    const find = `for one in /proc/[0-9]*; do tr '\\0' ' ' < $one/cmdline | grep -q '^[^ ]* \\(--[^ ]* \\)*${program} agent' && cat $one/smaps_rollup; done; true`;
    const kilobytes = /^Rss:\s+(\d+) kB/m.exec(await this.machine.run(["sh", "-c", find]))?.[1];
    return Number(kilobytes) / 1024;
  }

  /** Gives pods another MTU by the agent's setting, as agents undo what anybody else sets at a pod's interface.
   * @param mtu as `mtu` of the settings: of the uplink */
  async changeMtu(mtu: number): Promise<void> {
    if (this.#settings.mtu === mtu) return;
    await this.#agent?.stop("SIGTERM");
    await this.start({ ...this.#settings, mtu });
  }

  /** The dataplane keeps running without its agent. */
  async stopAgent(): Promise<void> {
    await this.#agent?.stop("SIGKILL");
  }

  async addPod(name: string): Promise<BenchPod> {
    const { metadata } = await this.#api.create(pod(name, this.machine.name));
    return addByCni(this.machine, name, {
      plugin: "ebpf-dataplane",
      folder: "/opt/cni/bin",
      config: { cniVersion: "1.0.0", name: "ebpf-dataplane", type: "ebpf-dataplane" },
      args: `K8S_POD_NAMESPACE=default;K8S_POD_NAME=${name};K8S_POD_UID=${metadata.uid}`,
    });
  }
}
