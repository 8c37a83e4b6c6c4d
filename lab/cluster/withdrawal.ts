import { rm } from "node:fs/promises";
import type { LabMachine } from "../../components/documents/lab.ts";
import { runIn } from "../machines/enter.ts";
import { firstProcess, stopMachine } from "../machines/machine.ts";
import { machineFolder } from "../names.ts";

/** Removes a node from the cluster. The machine is removed even if the cluster does not answer. */
async function forgetNode(lab: string, controlPlane: string, node: string): Promise<void> {
  if (!firstProcess(lab, controlPlane)) return;
  await runIn(lab, controlPlane, ["kubectl", "delete", "node", node, "--ignore-not-found", "--timeout=20s"]);
}

/** Resets a node to the state before its first boot, so that it can join again. */
export async function wipeMachine(lab: string, controlPlane: string, machine: string): Promise<void> {
  await forgetNode(lab, controlPlane, machine);
  await stopMachine(lab, machine);
  await rm(machineFolder(lab, machine), { recursive: true, force: true });
}

/** Removes a machine from a running lab. */
export async function removeMachine(lab: string, controlPlane: string, machine: LabMachine): Promise<void> {
  if (machine.role === "worker") await forgetNode(lab, controlPlane, machine.name);
  await stopMachine(lab, machine.name);
  await rm(machineFolder(lab, machine.name), { recursive: true, force: true });
}
