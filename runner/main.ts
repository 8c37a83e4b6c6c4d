import { Command } from "commander";
import { down } from "./down.ts";
import { messageOf, RunnerFailure } from "./failure.ts";
import { preflight } from "./preflight.ts";
import { preview } from "./preview.ts";
import { EncryptedSetting, type Project, readProject, readStack } from "./project.ts";
import { delegate, findPulumi, type Verb } from "./pulumi-cli.ts";
import { rehearse } from "./rehearse.ts";
import { beQuiet, complain, pc } from "./terminal.ts";
import { up } from "./up.ts";

const OWN: Record<Verb, (project: Project, json: boolean) => Promise<void>> = { up, preview, down };

interface Options {
  stack: string;
  cwd: string;
  config: string[];
  cli: boolean;
  quiet: boolean;
  json: boolean;
}

const program = new Command("runner").description(
  "Runs a Pulumi program, by the Pulumi CLI if it is on PATH, else without it.",
);
command("up", "make what the program declares");
command("preview", "show what would be made; touch nothing");
command("down", "remove what the program declares");
program
  .command("preflight")
  .description("look at the cluster that a stack is to go to, and say what stands in the way; changes nothing")
  .option("-s, --stack <name>", "stack: its settings are in Pulumi.<name>.yaml", "existing")
  .option("--cwd <folder>", "folder of Pulumi.yaml", ".")
  .option("-c, --config <key=value>", "a setting for this run; may be repeated", collect, [])
  .option("--json", "print what was found as JSON", false)
  .action((options: Omit<Options, "cli" | "quiet">) =>
    ending("preflight", options.stack, () =>
      preflight(readProject(options.cwd, options.stack, options.config), options.json),
    ),
  );
program
  .command("rehearse")
  .description("make a stack for AWS on a lab of this computer, without AWS")
  .option("-s, --stack <name>", "stack: its settings are in Pulumi.<name>.yaml", "aws")
  .option("--cwd <folder>", "folder of Pulumi.yaml", ".")
  .option("-c, --config <key=value>", "a setting for this run; may be repeated", collect, [])
  .option("--remove", "remove the rehearsal instead")
  .action((options: Omit<Options, "cli" | "quiet" | "json"> & { remove?: boolean }) =>
    ending("rehearsal", options.stack, () =>
      rehearse(readProject(options.cwd, options.stack, options.config), options),
    ),
  );
void program.parseAsync();

function command(verb: Verb, description: string): void {
  program
    .command(verb)
    .description(description)
    .option("-s, --stack <name>", "stack: its settings are in Pulumi.<name>.yaml", "local")
    .option("--cwd <folder>", "folder of Pulumi.yaml", ".")
    .option("-c, --config <key=value>", "a setting for this run; may be repeated", collect, [])
    .option("-q, --quiet", "tell only failures and outputs", false)
    .option("--json", "print the outputs as JSON", false)
    .option("--no-cli", "do not use the Pulumi CLI even if it is there")
    .action((options: Options) => run(verb, options));
}

async function run(verb: Verb, options: Options): Promise<void> {
  if (options.quiet) beQuiet();
  await ending(verb, options.stack, async () => {
    const pulumi = options.cli ? findPulumi() : undefined;
    if (pulumi) await delegate(pulumi, verb, readStack(options.cwd, options.stack), options.config);
    if (!pulumi || verb === "down") await runHere(verb, options, pulumi !== undefined);
  });
}

/** Ends this process when the work has ended, with a message for people when it failed. */
async function ending(what: string, stack: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
    process.exit(0);
  } catch (error) {
    complain(pc.red(`${what} of stack ${stack} failed: ${messageOf(error)}`));
    if (error instanceof RunnerFailure && error.next) complain(`Next: ${error.next}.`);
    process.exit(error instanceof RunnerFailure ? error.exitCode : 1);
  }
}

/** Without the CLI. After it: without state, so what a run before the CLI was there has made is removed too. */
async function runHere(verb: Verb, { cwd, stack, config, json }: Options, afterCli: boolean): Promise<void> {
  let project: Project;
  try {
    project = readProject(cwd, stack, config);
  } catch (error) {
    // No run without the CLI could have made anything with it.
    if (afterCli && error instanceof EncryptedSetting) return;
    throw error;
  }
  await OWN[verb](project, json);
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}
