import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { z } from "zod";

const machineSchema = z.looseObject({
  name: z.string(),
  address: z.string(),
  /** client: outside the cluster. */
  role: z.enum(["control-plane", "worker", "client"]).optional(),
  /** Its first process, while it runs. */
  pid: z.int().optional(),
});

const statusSchema = z.looseObject({
  exists: z.boolean().optional(),
  kubeconfig: z.string().optional(),
  machines: z.array(machineSchema).default([]),
});

export type LabMachine = Pick<z.output<typeof machineSchema>, "name" | "address" | "role" | "pid">;

/** What a check needs to know of a lab. */
export interface Lab {
  kubeconfig?: string;
  machines: LabMachine[];
}

/** Asks the lab's own program. A computer without it (an installed package, another cluster) has no machines. */
export async function describeLab(program: string, name: string): Promise<Lab> {
  if (!existsSync(program)) return { machines: [] };
  const { stdout } = await promisify(execFile)(process.execPath, [program, "status", name], { timeout: 60_000 });
  const { kubeconfig, machines } = statusSchema.parse(JSON.parse(stdout));
  return { kubeconfig, machines: machines.map(({ name, address, role, pid }) => ({ name, address, role, pid })) };
}
