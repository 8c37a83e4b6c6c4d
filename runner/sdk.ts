import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative, resolve } from "node:path";
import type * as Pulumi from "@pulumi/pulumi";
import { RunnerFailure } from "./failure.ts";
import type { Project } from "./project.ts";
import { type Protocol, protocolOf } from "./transforms.ts";
import { shortPath } from "./where.ts";

/** The SDK that the program itself imports: it keeps state in the module, so there must be only one. */
export function sdkOf(project: Project): typeof Pulumi {
  return programRequire(project)("@pulumi/pulumi") as typeof Pulumi;
}

/** How that SDK speaks with an engine. */
export const protocolFor = (project: Project): Protocol => protocolOf(programRequire(project));

/** Loads the program as the Pulumi CLI does, with ts-node; types are not checked here. */
export function loadProgram(project: Project): unknown {
  const require = programRequire(project);
  if (!existsSync(project.entry)) {
    const main = JSON.stringify(relative(project.folder, project.entry));
    throw new RunnerFailure(`${join(project.folder, "Pulumi.yaml")}: main is ${main}, but must be a file`, {
      exitCode: 2,
    });
  }
  const tsNode = require("ts-node") as { register(options: object): void };
  // Without a tsconfig.json of its own the program gets the CLI's settings, not those of a folder above.
  const skipProject = !existsSync(join(project.folder, "tsconfig.json"));
  const compilerOptions = skipProject ? { target: "ES2022", module: "nodenext", moduleResolution: "nodenext" } : {};
  tsNode.register({ transpileOnly: true, cwd: project.folder, skipProject, compilerOptions, pretty: false });
  try {
    return require(project.entry);
  } catch (error) {
    throw uncompiled(project, error) ?? error;
  }
}

/** What the compiler says first, if a file is no TypeScript; its other complaints may come from that. */
function uncompiled({ folder }: Project, error: unknown): RunnerFailure | undefined {
  if (!(error instanceof Error) || error.name !== "TSError") return undefined;
  const [, file = "", line, column, message] = /^(.+)\((\d+),(\d+)\): error (.*)$/m.exec(error.message) ?? [];
  if (message === undefined) return undefined;
  return new RunnerFailure(`the program cannot be compiled: ${message}`, {
    where: `${shortPath(resolve(folder, file))}:${line}:${column}`,
    exitCode: 2,
  });
}

function programRequire(project: Project): NodeJS.Require {
  const require = createRequire(join(project.folder, "Pulumi.yaml"));
  try {
    require.resolve("@pulumi/pulumi");
  } catch {
    throw new RunnerFailure(`${project.folder} has no @pulumi/pulumi`, { next: `npm install in ${project.folder}` });
  }
  return require;
}
