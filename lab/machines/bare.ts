import { labAddressIpv6 } from "../../components/documents/lab.ts";
import { ensureDisk } from "./disk.ts";
import { startMachine } from "./machine.ts";
import { createNetwork, type NetworkMachine } from "./network.ts";
import { removeLab } from "./removal.ts";

/** Creates machines without Kubernetes: only their network (of both address families), with nothing running in them yet. Removed on failure. */
export async function createBareLab(lab: string, machines: NetworkMachine[]): Promise<void> {
  await removeLab(lab); // leftovers of a killed test with the same name
  try {
    const connected = machines.map((machine) => ({ ...machine, addressIpv6: labAddressIpv6(machine) }));
    await createNetwork(lab, connected);
    await Promise.all(
      machines.map(async ({ name }) => {
        await ensureDisk(lab, name, machines);
        await startMachine(lab, name);
      }),
    );
  } catch (error) {
    await removeLab(lab);
    throw error;
  }
}

/** Runs `work` on a temporary lab without Kubernetes. */
export async function withBareLab<T>(lab: string, machines: NetworkMachine[], work: () => Promise<T>): Promise<T> {
  await createBareLab(lab, machines);
  try {
    return await work();
  } finally {
    await removeLab(lab);
  }
}
