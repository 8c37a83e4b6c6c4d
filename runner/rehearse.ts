import type { Project } from "./project.ts";
import { dropsOf, Rehearsal, removeRehearsal } from "./resources/aws/rehearsal.ts";
import { say } from "./terminal.ts";
import { up } from "./up.ts";

/** Deploys a stack for AWS on a lab of this computer, or removes that lab. */
export async function rehearse(project: Project, { remove = false }: { remove?: boolean }): Promise<void> {
  const lab = process.env.EBPF_DATAPLANE_LAB || "aws";
  if (remove) {
    await removeRehearsal(lab);
    return say(`removed the rehearsal on lab ${lab}`);
  }
  const region = project.config["aws:region"] ?? "eu-central-1";
  // The verification reaches the clients as machines of this lab.
  process.env.EBPF_DATAPLANE_LAB = lab;
  try {
    await up(project, false, new Rehearsal(lab, region, project.config));
  } catch (error) {
    // The SDK repeats a failure in every output that depends on it; it is reported once, below.
    process.on("unhandledRejection", () => {});
    const dropped = await dropsOf(lab).catch(() => []);
    if (dropped.length > 0) say("AWS would have dropped:");
    for (const line of dropped) say(`  ${line}`);
    throw error;
  }
}
