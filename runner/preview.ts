import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { hanging, widthOf } from "../components/program/fit.ts";
import { readFlowLog } from "../model/flow/read.ts";
import { readBaseline } from "../preview/baseline.ts";
import { type Baseline, buildPreview, type PreviewInputs } from "../preview/build.ts";
import { readDigest } from "../preview/digest.ts";
import type { Preview } from "../preview/document.ts";
import type { FlowLog } from "../preview/flows/impact.ts";
import { previewMarkdown } from "../preview/print/markdown.ts";
import { previewText } from "../preview/print/text.ts";
import { lastDeployed } from "./deployed.ts";
import { messageOf, RunnerFailure } from "./failure.ts";
import type { Operation } from "./operation.ts";
import type { Project } from "./project.ts";
import { runProgram } from "./run-program.ts";
import { say } from "./terminal.ts";

/** Output options of a preview. */
export interface PreviewOptions {
  json: boolean;
  markdown?: boolean;
  /** File for the picture. */
  svg?: string;
  /** An earlier preview, JSON. */
  against?: string;
  /** A flow log. */
  flows?: string;
  /** Rules that were not used for so many days count as unused. */
  unusedDays?: number;
}

/** Prints what `up` would create; changes nothing. */
export async function preview(project: Project, options: PreviewOptions): Promise<void> {
  say(
    `Stack ${project.stack}, previewed by this package's runner: this is not \`pulumi preview\`. Nothing is changed.`,
  );
  const resources: Operation[] = [];
  // Paths are relative to the user's working folder; the program runs in its own folder.
  const [given, flowLog] = [baselineOf(options), flowLogOf(options)];
  const told = { ...options, ...(options.svg && { svg: resolve(options.svg) }) };
  await runProgram(project, true, async (operation) => {
    resources.push(operation);
    return { id: "", state: operation.inputs };
  });
  const { name, stack } = project;
  await printPreview({ project: name, stack, resources }, given ?? lastDeployed(project), flowLog, told);
  say(
    `${resources.length} resources; resources of an earlier \`up\` of this stack that are not in this tree are removed at the end`,
  );
}

/**
 * Prints the same from the output of `pulumi preview --json --show-sames`.
 * @param name of the file, for messages
 */
export async function previewDigest(text: string, name: string, options: PreviewOptions): Promise<void> {
  const { before, after, ...of } = readable(name, () => readDigest(text));
  const state = buildPreview({ ...of, resources: before });
  const deployed = before.length > 0 ? { what: "the stack as it is deployed", preview: state } : undefined;
  await printPreview({ ...of, resources: after }, baselineOf(options) ?? deployed, flowLogOf(options), options);
}

/** @param path `-` is standard input */
export function readText(path: string): string {
  return readable(path, () => readFileSync(path === "-" ? 0 : path, "utf8"));
}

function baselineOf({ against }: PreviewOptions): Baseline | undefined {
  if (against === undefined) return undefined;
  const text = readText(against);
  return readable(against, () => readBaseline(text, against));
}

function flowLogOf({ flows, unusedDays }: PreviewOptions): FlowLog | undefined {
  if (flows === undefined && unusedDays !== undefined)
    throw new RunnerFailure("--unused-days needs a flow log", {
      next: "--flows FILE (the command `flows` writes one)",
      exitCode: 2,
    });
  if (flows === undefined) return undefined;
  const text = readText(flows);
  const log = readable(flows, () => readFlowLog(text));
  return { what: flows, ...log, ...(unusedDays !== undefined && { unusedDays }) };
}

function readable<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new RunnerFailure(`${path} cannot be read: ${messageOf(error)}`, { exitCode: 2 });
  }
}

async function printPreview(
  inputs: PreviewInputs,
  baseline: Baseline | undefined,
  flowLog: FlowLog | undefined,
  options: PreviewOptions,
): Promise<void> {
  const built = buildPreview(inputs, baseline, flowLog);
  if (flowLog && !built.flows) say(`${flowLog.what} is not judged: the stack does not have exactly one cluster`);
  if (options.svg !== undefined) await draw(built, options.svg);
  process.stdout.write(printed(built, options));
}

function printed(built: Preview, { json, markdown }: PreviewOptions): string {
  if (json) return `${JSON.stringify(built, null, 2)}\n`;
  return markdown ? previewMarkdown(built) : hanging(previewText(built), widthOf(process.stdout));
}

async function draw(built: Preview, path: string): Promise<void> {
  // JSX, loaded only when needed.
  const { previewSvg } = await import("../preview/picture/svg.tsx");
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, previewSvg(built));
  say(`wrote ${path}`);
}
