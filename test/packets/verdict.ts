// Which return codes an outcome allows: each action must have a matching reason.
import type { PacketProgram } from "./node.ts";

export const OK = 0;
export const SHOT = 2;
export const REDIRECT = 7;

/** Outcomes that end a packet here, whatever the program. */
const refuses = (outcome: string) => outcome.startsWith("drop_");

/** MARK_OWN_ANSWER of bpf/plan.h: to a process of the node, by the tunnel's device. */
export const OWN_ANSWER = 0xebf00006;

/** Whether a program may answer `action` for a packet that it counted under `outcome`. @param mark with which it leaves */
export function isReasonFor(outcome: string, action: number, program: PacketProgram, mark = 0): boolean {
  if (refuses(outcome)) return action === SHOT;
  if (outcome === "pass_to_stack" && mark === OWN_ANSWER && action === REDIRECT) return true;
  if (outcome === "pass_to_stack" || outcome.startsWith("reject_")) return action === OK;
  const goesOn = program === "to_uplink" || program === "to_workload" || program === "to_tunnel"; // the hook's ordinary continuation
  if (outcome === "to_endpoint") return action === (program === "to_workload" ? OK : REDIRECT);
  if (["to_network", "return_direct", "forward_external", "return_external"].includes(outcome))
    return action === (goesOn ? OK : REDIRECT);
  return action === REDIRECT;
}
