import { program } from "./bare-agents.ts";
import type { Machines } from "./machines.ts";
import type { ObjectFiles } from "./object-files.ts";
import { pod } from "./objects.ts";
import { networkOf, type Placed } from "./placed.ts";
import { until } from "./until.ts";

const cniConfiguration = { cniVersion: "1.0.0", name: "ebpf-dataplane", type: "ebpf-dataplane" };

/** Tests ask from ports from 40000 on by their number. The kernel gives sockets others: one that has such a port, or had it a minute ago, would
 * keep the test from it. */
export const SOCKET_PORTS = "net.ipv4.ip_local_port_range=47000 60999";

/** The command of a server that answers with whom it saw, as this pod. */
export function probeServer(name: `${string}/${string}`, ...listens: string[]): string[] {
  const [namespace, pod] = name.split("/");
  const identity = ["env", `POD_NAMESPACE=${namespace}`, `POD_NAME=${pod}`];
  return [...identity, process.execPath, program, "probe-server", ...listens];
}

/** The pods of a bare cluster: network namespaces of its nodes that the real CNI plugin wires. */
export class BarePods {
  readonly #machines: Machines;
  readonly #objects: ObjectFiles;
  readonly #pods = new Map<string, Placed>();

  constructor(machines: Machines, objects: ObjectFiles) {
    this.#machines = machines;
    this.#objects = objects;
  }

  all(): Placed[] {
    return [...this.#pods.values()];
  }

  /** @param name of its network */
  placed(name: string): Placed {
    const placed = this.#pods.get(name);
    if (!placed) throw new Error(`No pod ${name} in this cluster.`);
    return placed;
  }

  /** Makes a pod that answers with whom it saw. @param listens of its probe server */
  async add(wanted: Placed, listens: readonly string[]): Promise<Placed> {
    const { name, namespace = "default", node: on } = wanted;
    const network = networkOf(wanted);
    const enter = ["nsenter", `--net=/run/netns/${network}`];
    await this.#machines.run(on, ["ip", "netns", "add", network]);
    await this.#machines.run(on, [...enter, "sysctl", "--quiet", "--write", SOCKET_PORTS]);
    this.#objects.apply(pod(wanted)); // kubelet's order: the pod is known before its network is made
    const [address = "", addressIpv6] = await this.#cni(wanted, "ADD");
    const placed = { ...wanted, address, addressIpv6 };
    this.#pods.set(network, placed);
    this.#objects.apply(pod(placed));
    const server = probeServer(`${namespace}/${name}`, ...listens);
    let said = "";
    this.#machines.spawn(on, [...enter, ...server]).stderr?.on("data", (text) => {
      said = (said + text).slice(-3000);
    });
    const answers = async () => said.includes(" answers on ");
    await until(`pod ${namespace}/${name} to listen`, answers, () => said);
    return placed;
  }

  async remove(name: string): Promise<void> {
    const placed = this.placed(name);
    await this.#cni(placed, "DEL");
    await this.#machines.run(placed.node, ["ip", "netns", "delete", name]);
    this.#objects.remove(pod(placed));
    this.#pods.delete(name);
  }

  /** Returns the pod's addresses. */
  async #cni(wanted: Placed, command: "ADD" | "DEL"): Promise<string[]> {
    const { name, namespace = "default", node: on } = wanted;
    const network = networkOf(wanted);
    const variables = [
      `CNI_COMMAND=${command}`,
      `CNI_CONTAINERID=${network}`,
      `CNI_NETNS=/run/netns/${network}`,
      "CNI_IFNAME=eth0",
      "CNI_PATH=/opt/cni/bin",
      `CNI_ARGS=K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=${name};K8S_POD_UID=${network}`,
    ];
    const input = JSON.stringify(cniConfiguration);
    const answer = await this.#machines.run(on, ["env", ...variables, "/opt/cni/bin/ebpf-dataplane"], input);
    if (command === "DEL") return [];
    const { ips } = JSON.parse(answer) as { ips: { address: string }[] };
    return ips.map(({ address }) => address.split("/")[0] ?? "");
  }
}
