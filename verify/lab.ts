import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { failureLine } from "./actors/actor.ts";
import type { Programs } from "./actors/lab-machine.ts";
import { NoCluster } from "./connect.ts";

const machineSchema = z.looseObject({
  name: z.string(),
  address: z.string(),
  addressIpv6: z.string().optional(),
  /** client, router: outside the cluster. */
  role: z.enum(["control-plane", "worker", "client", "router"]).optional(),
  /** Its first process, while it runs. */
  pid: z.int().optional(),
});

const statusSchema = z.looseObject({
  exists: z.boolean().optional(),
  kubeconfig: z.string().optional(),
  worker: z.string().optional(),
  machines: z.array(machineSchema).default([]),
});

export type LabMachine = Pick<z.output<typeof machineSchema>, "name" | "address" | "addressIpv6" | "role" | "pid">;

/** The part of a lab that a check uses. */
export interface Lab {
  /** Absent: it has no cluster that can be asked. */
  kubeconfig?: string;
  /** Whether there is such a lab, complete or not. */
  exists?: boolean;
  /** The command that works on it now, as "'up' (process 12)". */
  worker?: string;
  /** Why this is not known: this user may not see labs. */
  hidden?: string;
  machines: LabMachine[];
}

/** A lab, and the programs beside this one that access it. */
export interface ReachedLab {
  lab: Lab & { name: string };
  programs: Programs;
}

export async function reachLab(name: string): Promise<ReachedLab> {
  const beside = (name: string) => join(import.meta.dirname, name);
  const programs = { lab: beside("lab.js"), probe: beside("probe.js"), probers: beside("probe") };
  return { lab: { name, ...(await describeLab(programs.lab, name)) }, programs };
}

/** Runs the lab's own program. Without it (another computer, another cluster) there are no machines. @throws NoCluster */
async function describeLab(program: string, name: string): Promise<Lab> {
  if (process.platform !== "linux" || !existsSync(program)) return { machines: [] };
  const asked = promisify(execFile)(process.execPath, [program, "status", name], { timeout: 60_000 });
  const answer = await asked.catch((error: Error & { stdout?: string; stderr?: string }) => {
    const { stdout = "", stderr = "", message } = error;
    const reason = problemIn(stdout) ?? failureLine(stderr, message);
    // A user who is not root may have another cluster.
    if (process.getuid?.() !== 0) return { hidden: reason };
    throw new NoCluster(`the lab ${name} cannot be asked how it is: ${reason}`);
  });
  return "hidden" in answer ? { machines: [], ...answer } : labOf(answer.stdout);
}

/** The message of the lab's program about a failure that it knows. */
function problemIn(stdout: string): string | undefined {
  try {
    return z.object({ problem: z.string() }).parse(JSON.parse(stdout)).problem;
  } catch {
    return undefined;
  }
}

function labOf(status: string): Lab {
  const { kubeconfig, exists, worker, machines } = statusSchema.parse(JSON.parse(status));
  return {
    ...{ kubeconfig, exists, worker },
    machines: machines.map(({ name, address, addressIpv6, role, pid }) => ({ name, address, addressIpv6, role, pid })),
  };
}
