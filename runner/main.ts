import { Command } from "commander";
import { down } from "./down.ts";
import { failureOf, messageOf } from "./failure.ts";
import { preflight } from "./preflight.ts";
import { type PreviewOptions, preview, previewDigest, readText } from "./preview.ts";
import { EncryptedSetting, type Project, readProject, readStack } from "./project.ts";
import { delegate, findPulumi, previewByCli, type Verb } from "./pulumi-cli.ts";
import { rehearse } from "./rehearse.ts";
import { beQuiet, complain, pc } from "./terminal.ts";
import { up } from "./up.ts";

interface Options extends PreviewOptions {
  stack: string;
  cwd: string;
  config: string[];
  cli: boolean;
  quiet: boolean;
  /** What the Pulumi CLI printed, in place of the program. */
  from?: string;
}

const program = new Command("runner").description(
  "Runs a Pulumi program, by the Pulumi CLI if it is on PATH, else without it.",
);
command("up", "make what the program declares");
command("preview", "show what would be made, who would reach whom and what to be warned of; touch nothing")
  .option("--markdown", "for the comment of a pull request", false)
  .option("--svg <file>", "write the picture of where packets go into a file too")
  .option("--against <file>", "compare with an earlier preview, JSON; - is standard input")
  .option("--from <file>", "read what `pulumi preview --json --show-sames` printed; - is standard input");
command("down", "remove what the program declares");
ofStack(
  "preflight",
  "look at the cluster that a stack is to go to, and say what stands in the way; changes nothing",
  "existing",
)
  .option("--json", "print what was found as JSON", false)
  .action((options: Omit<Options, "cli" | "quiet">) =>
    ending("preflight", options.stack, () =>
      preflight(readProject(options.cwd, options.stack, options.config), options.json),
    ),
  );
ofStack("rehearse", "make a stack for AWS on a lab of this computer, without AWS", "aws")
  .option("--remove", "remove the rehearsal instead")
  .action((options: Pick<Options, "stack" | "cwd" | "config"> & { remove?: boolean }) =>
    ending("rehearsal", options.stack, () =>
      rehearse(readProject(options.cwd, options.stack, options.config), options),
    ),
  );
void program.parseAsync();

/** A command about one stack of a project. */
function ofStack(name: string, description: string, stack: string): Command {
  return program
    .command(name)
    .description(description)
    .option("-s, --stack <name>", "stack: its settings are in Pulumi.<name>.yaml", stack)
    .option("--cwd <folder>", "folder of Pulumi.yaml", ".")
    .option("-c, --config <key=value>", "a setting for this run; may be repeated", collect, []);
}

function command(verb: Verb, description: string): Command {
  return ofStack(verb, description, "local")
    .option("-q, --quiet", "tell only failures and outputs", false)
    .option(
      "--json",
      verb === "preview" ? "print JSON (docs/schemas/preview.schema.json)" : "print the outputs as JSON",
      false,
    )
    .option("--no-cli", "do not use the Pulumi CLI even if it is there")
    .action((options: Options) => run(verb, options));
}

async function run(verb: Verb, options: Options): Promise<void> {
  if (options.quiet) beQuiet();
  await ending(verb, options.stack, async () => {
    const pulumi = options.cli ? findPulumi() : undefined;
    if (verb === "preview") return look(pulumi, options);
    if (pulumi) await delegate(pulumi, verb, readStack(options.cwd, options.stack), options.config);
    if (!pulumi || verb === "down") await runHere(verb, options, pulumi !== undefined);
  });
}

/** A preview from a file, by the Pulumi CLI, or without it. */
async function look(pulumi: string | undefined, options: Options): Promise<void> {
  const { from, cwd, stack, config } = options;
  if (from !== undefined) return previewDigest(readText(from), from, options);
  if (!pulumi) return preview(readProject(cwd, stack, config), options);
  await previewDigest(await previewByCli(pulumi, readStack(cwd, stack), config), "what pulumi printed", options);
}

/** Ends this process when the work has ended, with a message for people when it failed. */
async function ending(what: string, stack: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
    process.exit(0);
  } catch (error) {
    complain(pc.red(`${what} of stack ${stack} failed: ${messageOf(error)}`));
    const { next, exitCode } = failureOf(error);
    if (next) complain(`Next: ${next}.`);
    process.exit(exitCode);
  }
}

/** Without the CLI. After it: without state, so what a run before the CLI was there has made is removed too. */
async function runHere(verb: "up" | "down", { cwd, stack, config, json }: Options, afterCli: boolean): Promise<void> {
  let project: Project;
  try {
    project = readProject(cwd, stack, config);
  } catch (error) {
    // No run without the CLI could have made anything with it.
    if (afterCli && error instanceof EncryptedSetting) return;
    throw error;
  }
  await (verb === "up" ? up(project, json) : down(project));
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}
