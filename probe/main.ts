import { Command } from "commander";
import { registerProbeCommands, registerProbeServer } from "./commands.ts";

const program = new Command("probe").description(
  "Tries connections, answers them, and watches packets, beside any dataplane.",
);

registerProbeServer(program);
registerProbeCommands(program);
void program.parseAsync();
