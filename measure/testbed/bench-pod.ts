import type { TestbedMachine } from "./testbed-machine.ts";

/** A network namespace of a machine that a CNI plugin has wired: a pod without a container. */
export interface BenchPod {
  readonly name: string;
  readonly machine: TestbedMachine;
  readonly address: string;
  /** The machine's end of its veth pair. */
  readonly hostInterface: string;
}

/** Calls a CNI plugin as a container runtime does. @returns the pod's address and the name of the host's interface */
export async function addByCni(
  machine: TestbedMachine,
  name: string,
  { plugin, folder, config, args = "" }: { plugin: string; folder: string; config: unknown; args?: string },
): Promise<BenchPod> {
  const variables = [
    "CNI_COMMAND=ADD",
    `CNI_CONTAINERID=${name}`,
    `CNI_NETNS=/run/netns/${name}`,
    "CNI_IFNAME=eth0",
    `CNI_PATH=${folder}`,
    `CNI_ARGS=${args}`,
  ];
  await machine.run(["ip", "netns", "add", name]);
  const answer = await machine.run(["env", ...variables, `${folder}/${plugin}`], JSON.stringify(config));
  const { ips, interfaces } = JSON.parse(answer) as CniResult;
  const host = interfaces.find(({ sandbox }) => !sandbox);
  const address = ips[0]?.address.split("/")[0];
  if (!host || !address)
    throw new Error(`The CNI plugin ${plugin} answered without an address or interface: ${answer}`);
  return { name, machine, address, hostInterface: host.name };
}

interface CniResult {
  ips: { address: string }[];
  interfaces: { name: string; sandbox?: string }[];
}

/** Sets both ends of a pod's veth pair; what it sends in segments follows at once. An agent of ours would undo it. */
export async function setPodMtu({ machine, name, hostInterface }: BenchPod, mtu: number): Promise<void> {
  await machine.run(["ip", "link", "set", hostInterface, "mtu", String(mtu)]);
  await machine.run(["ip", "-netns", name, "link", "set", "eth0", "mtu", String(mtu)]);
}

/** Waits until a pod's interface has this MTU. @throws Error after 30 s */
export async function awaitPodMtu({ machine, name }: BenchPod, mtu: number): Promise<void> {
  const script = `for i in $(seq 300); do ip -netns "$1" link show eth0 | grep -q " mtu $2 " && exit 0; sleep 0.1; done; exit 1`;
  await machine.run(["sh", "-c", script, "sh", name, String(mtu)]).catch(() => {
    throw new Error(`The interface of the pod ${name} on ${machine.name} does not get the MTU ${mtu}.`);
  });
}

/** Bytes that the pod has received on its interface so far. */
export async function receivedBytes({ machine, name }: BenchPod): Promise<number> {
  const shown = await machine.run(["ip", "-netns", name, "-json", "-statistics", "link", "show", "eth0"]);
  const [link] = JSON.parse(shown) as { stats64: { rx: { bytes: number } } }[];
  return link?.stats64.rx.bytes ?? 0;
}
