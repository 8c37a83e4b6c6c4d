import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { z } from "zod";

const statusSchema = z.looseObject({
  exists: z.boolean().optional(),
  kubeconfig: z.string().optional(),
  machines: z.array(z.looseObject({ name: z.string(), address: z.string() })).default([]),
});

/** What a check needs to know of a lab. */
export interface Lab {
  kubeconfig?: string;
  machines: { name: string; address: string }[];
}

/** Asks the lab's own program. A computer without it (an installed package, another cluster) has no machines. */
export async function describeLab(program: string, name: string): Promise<Lab> {
  if (!existsSync(program)) return { machines: [] };
  const { stdout } = await promisify(execFile)(process.execPath, [program, "status", name], { timeout: 60_000 });
  const { kubeconfig, machines } = statusSchema.parse(JSON.parse(stdout));
  return { kubeconfig, machines: machines.map(({ name: machine, address }) => ({ name: machine, address })) };
}
