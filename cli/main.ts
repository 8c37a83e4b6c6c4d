#!/usr/bin/env node
// `ebpf-dataplane`, the command of the npm package. It knows names only: the program that has a command is loaded when it is asked for, so
// that the help is there at once, and on computers that cannot run everything.
import { createRequire } from "node:module";
import { join } from "node:path";
import { Command } from "commander";
import { packageVersion } from "../verify/this-package.ts";
import { COMMANDS, type Handed } from "./commands.ts";

const NAME = "ebpf-dataplane";
const WRONG_INPUT = 2;

const program = new Command(NAME)
  .description("Looks at clusters with the eBPF dataplane, and tests and explains them.")
  .version(packageVersion())
  .option("--kubeconfig <path>", "the cluster, for the command")
  .option("--context <name>", "a context of the kubeconfig, for the command")
  .configureHelp({ subcommandTerm: (command) => command.name() })
  .helpCommand(false)
  .enablePositionalOptions()
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : WRONG_INPUT))
  .addHelpText(
    "after",
    `
Each command has its own options: ${NAME} COMMAND --help.
Without --kubeconfig the cluster is that of KUBECONFIG or ~/.kube/config.`,
  );

for (const command of COMMANDS) {
  program
    .command(command.name)
    .description(command.description)
    .helpGroup(command.group)
    .helpOption(false)
    .argument("[words...]")
    .allowUnknownOption()
    .passThroughOptions()
    .action((words: string[]) => handOver(command, words));
}
program
  .command("help")
  .description("show this list, or the options of a command")
  .argument("[command]")
  .action((name?: string) => {
    const command = COMMANDS.find((one) => one.name === name);
    if (command) return handOver(command, ["--help"]);
    if (name === undefined) return program.help();
    program.parse([name], { from: "user" }); // an unknown word, with a suggestion
  });
program.parse();

/** Options that stand before the command, as for kubectl. */
function before(): string[] {
  return Object.entries(program.opts<Record<string, string>>()).flatMap(([option, value]) => [`--${option}`, value]);
}

/** The program reads its command line as if it had been started by this name. */
function handOver({ name, program: file, first = [] }: Handed, words: string[]): void {
  process.argv = [process.execPath, join(import.meta.dirname, NAME), name, ...first, ...before(), ...words];
  createRequire(import.meta.filename)(`./${file}.js`);
}
