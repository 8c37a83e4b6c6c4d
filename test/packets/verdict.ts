// Which return codes an outcome allows: each action must have a matching reason.
import type { PacketProgram } from "./node.ts";

export const OK = 0;
export const SHOT = 2;
export const REDIRECT = 7;

/** Outcomes that end a packet here, whatever the program. */
const refuses = (outcome: string) => outcome.startsWith("drop_");

/** Whether a program may answer `action` for a packet that it counted under `outcome`. */
export function isReasonFor(outcome: string, action: number, program: PacketProgram): boolean {
  if (refuses(outcome)) return action === SHOT;
  if (outcome === "pass_to_stack" || outcome.startsWith("reject_")) return action === OK;
  const goesOn = program === "to_uplink" || program === "to_workload" || program === "to_tunnel"; // the hook's ordinary continuation
  if (outcome === "to_endpoint") return action === (program === "to_workload" ? OK : REDIRECT);
  if (["to_network", "return_direct", "forward_external", "return_external"].includes(outcome))
    return action === (goesOn ? OK : REDIRECT);
  return action === REDIRECT;
}
