import { ensureDisk } from "./disk.ts";
import { startMachine } from "./machine.ts";
import { createNetwork, type NetworkMachine } from "./network.ts";
import { removeLab } from "./removal.ts";

/** Makes machines without Kubernetes: their network, and nothing running in them yet. Removed again on failure. */
export async function createBareLab(lab: string, machines: NetworkMachine[]): Promise<void> {
  await removeLab(lab); // what a killed test of the same name left
  try {
    await createNetwork(lab, machines);
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

/** Does work on a bare lab that is there for the work only. */
export async function withBareLab<T>(lab: string, machines: NetworkMachine[], work: () => Promise<T>): Promise<T> {
  await createBareLab(lab, machines);
  try {
    return await work();
  } finally {
    await removeLab(lab);
  }
}
