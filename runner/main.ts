import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { whileLocked } from "../components/program/lock.ts";
import { keepOutput } from "../components/program/output.ts";
import { down } from "./down.ts";
import { failureOf, messageOf, RunnerFailure } from "./failure.ts";
import { preflight } from "./preflight.ts";
import { type PreviewOptions, preview, previewDigest, readText } from "./preview.ts";
import { EncryptedSetting, type Project, readProject, readStack, settingsOf } from "./project.ts";
import { type CliRun, delegate, findPulumi, previewByCli, type Verb } from "./pulumi-cli.ts";
import { rehearse } from "./rehearse.ts";
import { beQuiet, complain, pc } from "./terminal.ts";
import { up } from "./up.ts";

keepOutput();

interface Options extends PreviewOptions {
  stack: string;
  cwd: string;
  config: string[];
  cli: boolean;
  quiet: boolean;
  /** Output of the Pulumi CLI, instead of the program. */
  from?: string;
  copy?: string;
  /** What no other run may use meanwhile. */
  exclusive?: string;
}

const program = new Command().description(
  "Runs a Pulumi program, with the Pulumi CLI if it is on PATH, otherwise without it.",
);
command("up", "create what the program declares");
command("preview", "show what would be created, reachability and warnings; change nothing")
  .option("--markdown", "for the comment of a pull request", false)
  .option("--svg <file>", "also write a picture of the packet paths to a file")
  .option("--against <file>", "compare with an earlier preview, JSON; - is standard input")
  .option(
    "--flows <file>",
    "judge the flows of a flow log (which the command `flows` writes) by the declared policies; - is standard input",
  )
  .option("--unused-days <days>", "with --flows: what nobody used for so many days counts as unused", days)
  .option("--from <file>", "read the output of `pulumi preview --json --show-sames`; - is standard input");
command("down", "remove what the program declares");
ofStack("preflight", "check the cluster of a stack, and report what blocks the dataplane; change nothing", "existing")
  .option("--json", "print the findings as JSON", false)
  .action((options: Omit<Options, "cli" | "quiet">) =>
    ending("preflight", options.stack, () =>
      preflight(readProject(options.cwd, options.stack, options.config), options.json),
    ),
  );
ofStack("rehearse", "deploy a stack for AWS on a lab of this computer, without AWS", "aws")
  .option("--remove", "remove the rehearsal instead")
  .action((options: Pick<Options, "stack" | "cwd" | "config"> & { remove?: boolean }) =>
    ending("rehearsal", options.stack, () =>
      rehearse(readProject(options.cwd, options.stack, options.config), options),
    ),
  );
// A wrong command line is wrong input, like a wrong setting.
for (const each of [program, ...program.commands])
  each.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
void program.parseAsync();

/** A command about one stack of a project. */
function ofStack(name: string, description: string, stack: string): Command {
  return program
    .command(name)
    .description(description)
    .option("-s, --stack <name>", "stack: its settings are in Pulumi.<name>.yaml", stack)
    .option("--cwd <folder>", "folder of Pulumi.yaml", ".")
    .option("-c, --config <key=value>", "a setting for this run; may be repeated", collect, [])
    .option("--settings <settings>", "several of them in one text, separated by spaces", settingsOf)
    .hook("preAction", (one) => {
      const { config, settings = [] } = one.opts<{ config: string[]; settings?: string[] }>();
      one.setOptionValue("config", [...config, ...settings]);
    });
}

function command(verb: Verb, description: string): Command {
  return ofStack(verb, description, "local")
    .option("-q, --quiet", "print only failures and outputs", false)
    .option(
      "--json",
      verb === "preview" ? "print JSON (docs/schemas/preview.schema.json)" : "print the outputs as JSON",
      false,
    )
    .option("--no-cli", "do not use the Pulumi CLI even if it is installed")
    .option(
      "--copy <name>",
      "a further deployment with the stack's settings: the Pulumi CLI keeps its state as STACK-NAME",
    )
    .option("--exclusive <name>", "end at once if another run on this computer (Linux) with the same name goes on")
    .action((options: Options) => run(verb, options));
}

async function run(verb: Verb, options: Options): Promise<void> {
  if (options.quiet) beQuiet();
  await ending(verb, options.stack, () =>
    alone(verb, options, async () => {
      const pulumi = options.cli ? findPulumi() : undefined;
      if (verb === "preview") return runPreview(pulumi, options);
      if (pulumi) await delegate(pulumi, verb, cliRun(options));
      if (!pulumi || verb === "down") await runHere(verb, options, pulumi !== undefined);
    }),
  );
}

/** Two deployments to one cluster would undo each other's work, and its verification would see both. */
function alone(verb: Verb, { exclusive, cwd }: Options, work: () => Promise<void>): Promise<void> {
  if (exclusive === undefined) return work();
  const inUse = (holder: string) =>
    new RunnerFailure(`${holder} is using the ${exclusive} already`, {
      next: "wait until it ends, or end it, then run the same command again",
    });
  return whileLocked(`run/${exclusive}`, `${verb} in ${resolve(cwd)}`, inUse, work);
}

/** A preview from a file, with the Pulumi CLI, or without it. */
async function runPreview(pulumi: string | undefined, options: Options): Promise<void> {
  const { from, cwd, stack, config } = options;
  if (from !== undefined) return previewDigest(readText(from), from, options);
  if (!pulumi) return preview(readProject(cwd, stack, config), options);
  await previewDigest(await previewByCli(pulumi, cliRun(options)), "the output of pulumi", options);
}

function cliRun({ cwd, stack, config, copy }: Options): CliRun {
  return { stack: readStack(cwd, stack), overrides: config, copy };
}

/** Ends this process after the work, with a message for the user if it failed. */
async function ending(what: string, stack: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
    process.exit(0);
  } catch (error) {
    complain(pc.red(`${what} of stack ${stack} failed: ${messageOf(error)}`));
    const { next, where, exitCode } = failureOf(error);
    if (where) complain(`Where: ${where}`);
    if (next) complain(`Next: ${next}.`);
    process.exit(exitCode);
  }
}

/** Runs without the CLI. `afterCli`: also after a run with the CLI, to remove resources from runs before it was installed. */
async function runHere(verb: "up" | "down", { cwd, stack, config, json }: Options, afterCli: boolean): Promise<void> {
  let project: Project;
  try {
    project = readProject(cwd, stack, config);
  } catch (error) {
    // A run without the CLI cannot have used such a setting, so there is nothing to remove.
    if (afterCli && error instanceof EncryptedSetting) return;
    throw error;
  }
  await (verb === "up" ? up(project, json) : down(project));
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

function days(value: string): number {
  const number = Number(value);
  if (Number.isFinite(number) && number > 0) return number;
  throw new InvalidArgumentError("Allowed: a number of days, above 0.");
}
