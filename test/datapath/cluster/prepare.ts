// What the machines of a bare cluster are before agents run on them.
import { join } from "node:path";
import { run } from "../../../lab/machines/command.ts";
import { hasIpv6, setInNamespace } from "../../../lab/machines/namespaces.ts";
import { inSwitch, portOf } from "../../../lab/machines/switch.ts";
import { machineNamespace } from "../../../lab/names.ts";
import { SOCKET_PORTS } from "./bare-pods.ts";
import type { Machines } from "./machines.ts";
import { clients, nodes } from "./objects.ts";

const offload = join(import.meta.dirname, "..", "..", "..", "agent", "kernel", "offload.fixture.ts");

export async function prepareKernels({ lab }: Machines): Promise<void> {
  // A Linux host sends one other host a burst of six ICMP errors, then one a second: what is refused after that has no answer.
  const everyRefusal = ["net.ipv4.icmp_ratelimit=0", ...(hasIpv6() ? ["net.ipv6.icmp.ratelimit=0"] : [])];
  const set = (name: string, ...settings: string[]) =>
    setInNamespace(machineNamespace(lab, name), `prepare the kernel settings of ${name}`, settings);
  await Promise.all([
    ...Object.keys(nodes).map((name) => set(name, ...everyRefusal, SOCKET_PORTS)),
    ...Object.keys(clients).map((name) => set(name, SOCKET_PORTS)),
  ]);
}

/** For XDP on veth pairs: what clients send has its checksums, and the switch takes what XDP sends. */
export async function prepareLinks(machines: Machines): Promise<void> {
  const change = [process.execPath, offload];
  const ports = Object.keys(nodes).map((name) => portOf(name, "eth0"));
  await Promise.all([
    ...Object.keys(clients).map((name) => machines.run(name, [...change, "tx-checksum", "off", "eth0"])),
    run([...inSwitch(machines.lab), ...change, "gro", "on", ...ports]),
  ]);
}
