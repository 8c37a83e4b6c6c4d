import { Command } from "commander";
import { type CheckOptions, checkCommand } from "./check-command.ts";

const program = new Command("verify").description("show that a cluster does what is expected of it");

program
  .command("check")
  .description("carry out check files (YAML or JSON; - is standard input) and print what was expected and observed")
  .argument("<file...>", "check files")
  .option("--out <path>", "where the result is written as JSON", "out/verification.json")
  .option("--lab <name>", "local lab whose machines the checks may name", process.env.EBPF_DATAPLANE_LAB ?? "local")
  .option("--kubeconfig <path>", "the cluster; otherwise KUBECONFIG_CONTENT, KUBECONFIG, or the lab's own")
  .option("--json", "print the result on standard output, everything else on standard error", false)
  .action(async (files: string[], options: CheckOptions) => {
    process.exitCode = await checkCommand(files, options);
  });

// A wrong command line is wrong input, like a wrong file.
program.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
for (const command of program.commands) command.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
void program.parseAsync();
