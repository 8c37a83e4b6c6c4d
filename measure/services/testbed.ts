// One web server outside the cluster that is every service's endpoint, and for each mode a separate node with one pod
// on it, re-created for every number of services, so that each measurement starts empty.

import { ensureDisk } from "../../lab/machines/disk.ts";
import { startMachine, stopMachine } from "../../lab/machines/machine.ts";
import { createNetwork } from "../../lab/machines/network.ts";
import type { scaledModes } from "../../model/mode/mode.ts";
import type { TestbedApiServer } from "../testbed/api-server.ts";
import type { BenchPod } from "../testbed/bench-pod.ts";
import { EbpfNode } from "../testbed/ebpf-node.ts";
import { LinuxNode } from "../testbed/linux-node.ts";
import { TestbedMachine } from "../testbed/testbed-machine.ts";

export type Mode = (typeof scaledModes)[number];

export const controlAddress = "172.31.1.10";
export const serverAddress = "172.31.1.50";

/** Addresses of endpoints: the server has all of them. */
const endpointNetwork = "10.112.0.0/12";

/** The nth endpoint of a service. */
export function endpointAddress(service: number, index: number): string {
  const number = service * 10 + index;
  return `10.${112 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
}

const nodes: Record<Mode, { name: string; address: string; podSubnet: string }> = {
  KubeProxyIptables: { name: "iptables", address: "172.31.1.61", podSubnet: "10.245.1.0/24" },
  KubeProxyNftables: { name: "nftables", address: "172.31.1.62", podSubnet: "10.245.2.0/24" },
  Ebpf: { name: "ebpf", address: "172.31.1.63", podSubnet: "" },
};

export const scaleMachines = [
  { name: "control", address: controlAddress },
  { name: "server", address: serverAddress },
  ...Object.values(nodes).map(({ name, address }) => ({ name, address })),
];

/** The name of a mode's machine. */
export const machineOf = (mode: Mode): string => nodes[mode].name;

/** A node with one service mode, and the connecting pod. */
export interface ScaledNode {
  readonly client: BenchPod;
  /** Ours, with its metrics. */
  readonly ebpf?: EbpfNode;
  /** When its program was started, on performance.now(); for ours also when it was ready. */
  readonly startedMs: number;
  readonly readyMs?: number;
  /** Stops the program that watches services; its state in the kernel stays. */
  stop(): Promise<void>;
}

/** Resets a mode's machine, so that its kernel tables are empty. */
export async function renewMachine(lab: string, mode: Mode): Promise<TestbedMachine> {
  const machine = new TestbedMachine(lab, nodes[mode]);
  await stopMachine(lab, machine.name);
  await createNetwork(lab, [machine]);
  await ensureDisk(lab, machine.name, scaleMachines);
  await startMachine(lab, machine.name);
  await machine.run(["ip", "route", "add", endpointNetwork, "via", serverAddress]);
  return machine;
}

/** Starts a mode's node. On kube-proxy's nodes the pod is created first; ours needs the agent, which wires it. */
export async function startNode(
  mode: Mode,
  machine: TestbedMachine,
  { api, server, pod }: { api: TestbedApiServer; server: TestbedMachine; pod: string },
): Promise<ScaledNode> {
  const reachable = async (client: BenchPod) => {
    await server.run(["ip", "route", "replace", client.address, "via", machine.address]);
    return client;
  };
  if (mode === "Ebpf") {
    const node = new EbpfNode(machine, api);
    const startedMs = performance.now();
    await node.start();
    const readyMs = performance.now();
    return {
      client: await reachable(await node.addPod(pod)),
      startedMs,
      readyMs,
      ebpf: node,
      stop: () => node.stopAgent(),
    };
  }
  const node = new LinuxNode(machine, api, nodes[mode].podSubnet);
  const client = await reachable(await node.addPod(pod));
  const startedMs = performance.now();
  await node.start(mode === "KubeProxyIptables" ? "iptables" : "nftables");
  return { client, startedMs, stop: () => node.stopProxy() };
}

/** Every service's endpoints: the same small page on port 80. */
export async function startWebServer(server: TestbedMachine): Promise<void> {
  await server.run(["ip", "route", "add", "local", endpointNetwork, "dev", "lo"]);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path /tmp/nginx-${name};`,
  );
  const page = 'server { listen 80 backlog=4096; location / { return 200 "answered"; } }';
  await server.write(
    "/tmp/nginx.conf",
    `daemon off; worker_processes 1; pid /tmp/nginx.pid; error_log stderr; events { worker_connections 4096; }
     http { access_log off; ${temporary.join(" ")} ${page} }`,
  );
  server.start("nginx", ["nginx", "-c", "/tmp/nginx.conf", "-e", "stderr"]);
}
