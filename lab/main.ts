import { text } from "node:stream/consumers";
import { Command } from "commander";
import { hanging, widthOf } from "../components/program/fit.ts";
import { keepOutput } from "../components/program/output.ts";
import { labNameRule } from "../components/rules/names.ts";
import { drops } from "./cloud/drops.ts";
import { terminateInstance } from "./cloud/instance.ts";
import { serveMetadata } from "./cloud/metadata.ts";
import { parameterValue } from "./cloud/parameters.ts";
import { parseCloud } from "./cloud/spec.ts";
import { cloudUp } from "./cloud/up.ts";
import { exec, requireMachine } from "./cluster/exec.ts";
import { forward } from "./cluster/forwarder.ts";
import { imagesInWords, listImages } from "./cluster/listed-images.ts";
import { addImages } from "./cluster/own-images.ts";
import { removeImages } from "./cluster/remove-images.ts";
import { readState } from "./cluster/state.ts";
import { status } from "./cluster/status.ts";
import { up } from "./cluster/up.ts";
import { LabFailure } from "./failure.ts";
import { requireHost, requireRoot } from "./host.ts";
import { labNames, listLabs } from "./list/list.ts";
import { inWords } from "./list/print.ts";
import { withLock } from "./lock.ts";
import { FREE_SPACE } from "./machines/command.ts";
import { removeLab, requireNoStrangers } from "./machines/removal.ts";
import { stderrProgress } from "./progress.ts";
import { parseSpec } from "./spec.ts";

keepOutput();

const print = (document: unknown): void => void process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);

function labName(value: string): string {
  const allowed = labNameRule(value);
  if (allowed === undefined) return value;
  throw new LabFailure(`NAME is '${value}', but must be ${allowed}`, { exitCode: 2 });
}

const repeated = (word: string, words: string[] = []): string[] => [...words, word];

const command = new Command("lab")
  .description("A Kubernetes cluster and its clients on machines that are namespaces of this host.")
  .enablePositionalOptions();

command
  .command("up")
  .description("create the lab that the JSON document on stdin describes; print how to reach it as JSON")
  .action(async () => {
    const spec = parseSpec(await text(process.stdin));
    await requireHost();
    requireNoStrangers(spec.name);
    print(await withLock(spec.name, "up", () => up(spec, stderrProgress(spec.name))));
  });

command.command("host").description("say what this host lacks for a lab; nothing is changed").action(requireHost);

command
  .command("down")
  .argument("<name>", "the lab's name", labName)
  .description("remove everything of a lab, including leftovers of a killed process; succeeds if nothing exists")
  .action(async (name: string) => {
    await requireHost();
    requireNoStrangers(name);
    const others = labNames();
    if (!others.includes(name))
      process.stderr.write(`lab: there is no lab ${name} (labs here: ${others.join(", ") || "none"})\n`);
    await withLock(name, "down", () => stderrProgress(name).phase(`remove lab ${name}`, () => removeLab(name)));
  });

command
  .command("exec")
  .argument("<name>", "the lab's name", labName)
  .argument("<machine>", "the machine's name")
  .argument("<command...>", "the command and its arguments, after --")
  .description("run a command inside a machine")
  .passThroughOptions()
  .action(async (name: string, machine: string, argv: string[]) => {
    requireRoot();
    requireMachine(name, machine, readState(name), labNames());
    // Options before the command belong to this command line, not to the command.
    process.exitCode = await exec(name, machine, argv[0] === "--" ? argv.slice(1) : argv);
  });

command
  .command("image")
  .argument("<name>", "the lab's name", labName)
  .argument("<archive>", "an OCI image layout in a tar, or what 'docker save' writes")
  .option("--tag <name>", "name of the archive's only image, such as team/shop:1, in place of its own")
  .description("load images of your own into every node, also those that join later")
  .action(async (name: string, archive: string, { tag }: { tag?: string }) => {
    requireRoot();
    const add = () => addImages(name, archive, tag, stderrProgress(name));
    process.stdout.write(await withLock(name, "image", add));
  });

command
  .command("images")
  .argument("<name>", "the lab's name", labName)
  .option("--remove <image>", "take an image of your own out of every node; repeatable", repeated)
  .option("--json", "the list as JSON")
  .description("list your own images in a lab: names, sizes, nodes; or remove some")
  .action(async (name: string, { remove, json }: { remove?: string[]; json?: boolean }) => {
    requireRoot();
    const removal = () => removeImages(name, remove ?? [], stderrProgress(name));
    if (remove) return void process.stdout.write(await withLock(name, "images", removal));
    const images = await listImages(name);
    if (json) print(images);
    else process.stdout.write(hanging(imagesInWords(name, images), widthOf(process.stdout)));
  });

command
  .command("cloud")
  .description("run the part of AWS that the JSON document on stdin describes, on a separate lab")
  .action(async () => {
    const spec = parseCloud(await text(process.stdin));
    await requireHost();
    requireNoStrangers(spec.name);
    await withLock(spec.name, "cloud", () => cloudUp(spec, stderrProgress(spec.name)));
  });

command
  .command("terminate")
  .argument("<name>", "the lab's name", labName)
  .argument("<machine>", "the machine's name")
  .description("remove a machine with its disk, as a cloud does with spot instances; the cluster is not notified")
  .action(async (name: string, machine: string) => {
    requireRoot();
    await withLock(name, "terminate", () => terminateInstance(name, machine));
  });

command
  .command("parameter", { hidden: true })
  .argument("<name>", "the lab's name", labName)
  .argument("<path>", "the parameter's path")
  .description("print the value of a parameter of the lab's cloud")
  .action((name: string, path: string) => void process.stdout.write(parameterValue(name, path)));

command
  .command("drops")
  .argument("<name>", "the lab's name", labName)
  .description("print the packets that the lab's cloud dropped, with the reason")
  .action(async (name: string) => void process.stdout.write((await drops(name)).map((line) => `${line}\n`).join("")));

command
  .command("serve-metadata", { hidden: true })
  .argument("<name>", "the lab's name, to recognize the process")
  .action((name: string) => serveMetadata(name));

command
  .command("status")
  .argument("<name>", "the lab's name", labName)
  .description("print the state of a lab as JSON, or why it cannot be told")
  .action(async (name: string) => {
    try {
      print(await status(name));
    } catch (error) {
      // Programs that ask for JSON get it here; the text for people is printed below.
      if (error instanceof LabFailure) print({ lab: name, problem: error.message });
      throw error;
    }
  });

command
  .command("list")
  .option("--json", "as JSON")
  .description("show all labs of this computer: state, who made them, machines, memory; and what killed runs left")
  .action(async ({ json }: { json?: boolean }) => {
    requireRoot();
    const labs = await listLabs();
    if (json) print(labs);
    else process.stdout.write(inWords(labs, widthOf(process.stdout)));
  });

command
  .command("forward", { hidden: true })
  .argument("<name>", "the lab's name, to recognize the process")
  .action(forward);

// A wrong command line is wrong input, like a wrong specification.
for (const each of [command, ...command.commands])
  each.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
command.parseAsync().catch((error: unknown) => {
  if (error instanceof Error && "syscall" in error) {
    // An error of the operating system, such as ENOSPC or EACCES; its message names the file.
    const isFull = "code" in error && error.code === "ENOSPC";
    process.stderr.write(`lab: ${error.message}\n${isFull ? `next: ${FREE_SPACE}\n` : ""}`);
    process.exit(1);
  }
  if (!(error instanceof LabFailure)) throw error;
  process.stderr.write(`lab: ${error.message}\n${error.next ? `next: ${error.next}\n` : ""}`);
  process.exit(error.exitCode); // operations on other machines may still be running
});
