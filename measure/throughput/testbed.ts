// Two nodes with the agent and two with kube-proxy, side by side on one switch and one API server. They share nothing
// else, and both run all the time, so that rounds can alternate.

import { withBareLab } from "../../lab/machines/bare.ts";
import { run } from "../../lab/machines/command.ts";
import { machineNamespace } from "../../lab/names.ts";
import type { Progress } from "../../lab/progress.ts";
import { TestbedApiServer } from "../testbed/api-server.ts";
import { awaitPodMtu, type BenchPod, setPodMtu } from "../testbed/bench-pod.ts";
import { EbpfNode } from "../testbed/ebpf-node.ts";
import { agentKinds, clusterIP, endpointSlice, ipPool, service } from "../testbed/kubernetes-objects.ts";
import { LinuxNode } from "../testbed/linux-node.ts";
import { TestbedMachine } from "../testbed/testbed-machine.ts";
import type { End } from "./qperf.ts";

const addresses = {
  control: "172.31.1.10",
  ebpf1: "172.31.1.21",
  ebpf2: "172.31.1.22",
  linux1: "172.31.1.31",
  linux2: "172.31.1.32",
  floor1: "172.31.1.41",
  floor2: "172.31.1.42",
};

/** The machines' end of the cable between two of them. */
export const cableDevice = "eth1";
/** Room for pods' packets of 8940 bytes with VXLAN. */
const cableMtu = 9000;
/** What VXLAN adds: the agent's setting is the uplink's MTU. */
const overhead = 50;
const largestMtu = 8940;

/** Two pods on different nodes. */
export interface Pair {
  readonly sender: BenchPod;
  readonly receiver: BenchPod;
}

export interface Testbed {
  readonly Ebpf: Pair;
  readonly Linux: Pair;
  /** Two machines without pods and without either dataplane. */
  readonly Floor: readonly [End, End];
  readonly machines: readonly TestbedMachine[];
  /** Gives all pods this MTU. */
  readonly setMtu: (mtu: number) => Promise<void>;
  /** Version of the API server. */
  readonly kubernetes: string;
}

/** Additional services: a cluster without any would not be representative. */
const otherServices = 20;

export async function withThroughputTestbed<T>(
  lab: string,
  vxlan: boolean,
  progress: Progress,
  work: (testbed: Testbed) => Promise<T>,
): Promise<T> {
  const machines = Object.entries(addresses).map(([name, address]) => ({ name, address }));
  return withBareLab(lab, machines, async () => {
    const named = Object.fromEntries(machines.map((one) => [one.name, new TestbedMachine(lab, one)]));
    const machine = (name: keyof typeof addresses) => named[name] as TestbedMachine;
    for (const path of ["ebpf", "linux", "floor"] as const)
      await connect(lab, machine(`${path}1`), machine(`${path}2`));
    const api = await progress.phase("API server", () => TestbedApiServer.start(machine("control")));
    for (const one of Object.values(named)) if (/^(ebpf|linux)/.test(one.name)) await api.addNode(one);
    await api.createAll(agentKinds);
    await api.createWhenKnown(ipPool(vxlan ? "Always" : "CrossSubnet"));
    const ebpf = [new EbpfNode(machine("ebpf1"), api), new EbpfNode(machine("ebpf2"), api)] as const;
    const linux = [
      new LinuxNode(machine("linux1"), api, "10.245.1.0/24"),
      new LinuxNode(machine("linux2"), api, "10.245.2.0/24"),
    ] as const;
    const pairs = await progress.phase("agents, kube-proxy and pods", async () => {
      for (const node of linux) await node.start("iptables");
      for (const node of ebpf) await node.start({ mtu: largestMtu + overhead, uplinks: [cableDevice] });
      await linux[0].routeTo(linux[1], vxlan);
      await linux[1].routeTo(linux[0], vxlan);
      return {
        Ebpf: { sender: await ebpf[0].addPod("sender"), receiver: await ebpf[1].addPod("receiver") },
        Linux: {
          sender: await linux[0].addPod("sender", largestMtu),
          receiver: await linux[1].addPod("receiver", largestMtu),
        },
      };
    });
    const backends = [{ address: pairs.Linux.receiver.address, node: "linux2" }];
    for (let index = 1; index <= otherServices; index++) {
      const description = { name: `s${index}`, clusterIP: clusterIP(index), backends };
      await api.createAll([endpointSlice(description), service(description)]);
    }
    const floor = [machine("floor1"), machine("floor2")].map((one) => ({ machine: one, address: one.address }));
    return await work({
      ...pairs,
      Floor: floor as [End, End],
      setMtu: async (mtu) => {
        for (const pod of Object.values(pairs.Linux)) await setPodMtu(pod, mtu);
        await Promise.all(ebpf.map((node) => node.changeMtu(mtu + overhead)));
        for (const pod of Object.values(pairs).flatMap((pair) => Object.values(pair))) await awaitPodMtu(pod, mtu);
      },
      machines: Object.values(named).filter(({ name }) => name !== "control"),
      kubernetes: await api.version(),
    });
  });
}

/**
 * Two machines get a separate cable beside the switch, for the packets between them: a hardware switch costs
 * their processors nothing either.
 */
async function connect(lab: string, one: TestbedMachine, two: TestbedMachine): Promise<void> {
  const namespace = ({ name }: TestbedMachine) => machineNamespace(lab, name);
  const pair = [
    "link",
    "add",
    cableDevice,
    "mtu",
    `${cableMtu}`,
    "type",
    "veth",
    "peer",
    "name",
    cableDevice,
    "mtu",
    `${cableMtu}`,
  ];
  await run(["ip", "-netns", namespace(one), ...pair, "netns", namespace(two)]);
  for (const [here, there] of [
    [one, two],
    [two, one],
  ] as const) {
    await here.run(["ip", "link", "set", cableDevice, "up"]);
    await here.run(["ip", "route", "add", there.address, "dev", cableDevice, "src", here.address]);
  }
}
