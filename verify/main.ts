import { Command } from "commander";
import { type CheckOptions, checkCommand } from "./check-command.ts";
import { type VerifyOptions, verifyCommand } from "./verify-command.ts";

const program = new Command("verify").description("show that a cluster does what is expected of it");

command("check", "carry out check files (YAML or JSON; - is standard input) and print what was expected and observed")
  .argument("<file...>", "check files")
  .option("--out <path>", "where the result is written as JSON", "out/verification.json")
  .action(async (files: string[], options: CheckOptions) => {
    process.exitCode = await checkCommand(files, options);
  });

command("verify", "carry out what a deployment has to show (JSON; - is standard input): checks, measurement, limits")
  .argument("<document>", "the document, docs/schemas/verification-input.schema.json")
  .option("--out <folder>", "where the artefacts are written", "out")
  .action(async (document: string, options: VerifyOptions) => {
    process.exitCode = await verifyCommand(document, options);
  });

// A wrong command line is wrong input, like a wrong file.
program.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
for (const each of program.commands) each.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
void program.parseAsync();

function command(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option("--lab <name>", "local lab whose machines may be named", process.env.EBPF_DATAPLANE_LAB ?? "local")
    .option("--kubeconfig <path>", "the cluster; otherwise KUBECONFIG_CONTENT, KUBECONFIG, or the lab's own")
    .option("--json", "print the result on standard output, everything else on standard error", false)
    .option("--quiet", "say nothing but what does not hold", false);
}
