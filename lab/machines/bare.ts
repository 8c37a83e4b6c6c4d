import { labAddressIpv6 } from "../../components/documents/lab.ts";
import { gatewayFor, type LabSubnet, subnetsOf } from "../../components/documents/lab-network.ts";
import { machineDisk } from "../names.ts";
import { requireBird, writeBirdConfiguration } from "./bird.ts";
import { ensureDisk } from "./disk.ts";
import { startMachine } from "./machine.ts";
import { createNetwork, type NetworkMachine } from "./network.ts";
import { beginLab } from "./origin.ts";
import { removeLab } from "./removal.ts";

/**
 * Creates machines without Kubernetes: only their network (of both address families), with nothing running in them yet but a router's
 * routing daemon. Removed on failure.
 * @param subnets left out: one, whose gateway is the switch.
 */
export async function createBareLab(lab: string, machines: NetworkMachine[], subnets?: LabSubnet[]): Promise<void> {
  await removeLab(lab); // leftovers of a killed test with the same name
  beginLab(lab);
  const network = subnetsOf({ subnets });
  if (machines.some(({ role }) => role === "router")) await requireBird();
  try {
    const connected = machines.map((machine) => ({ ...machine, addressIpv6: labAddressIpv6(machine, { subnets }) }));
    await createNetwork(lab, connected, network);
    await Promise.all(
      machines.map(async (machine) => {
        const { name, role } = machine;
        await ensureDisk(lab, name, machines, undefined, gatewayFor(network, machine));
        if (role === "router") await writeBirdConfiguration(machineDisk(lab, name), network);
        await startMachine(lab, name, role === "router" ? ["bird"] : []);
      }),
    );
  } catch (error) {
    await removeLab(lab);
    throw error;
  }
}

/** Runs `work` on a temporary lab without Kubernetes. */
export async function withBareLab<T>(
  lab: string,
  machines: NetworkMachine[],
  work: () => Promise<T>,
  subnets?: LabSubnet[],
): Promise<T> {
  await createBareLab(lab, machines, subnets);
  try {
    return await work();
  } finally {
    await removeLab(lab);
  }
}
