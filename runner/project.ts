import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { messageOf, RunnerFailure } from "./failure.ts";

/** A Pulumi program and the configuration of one of its stacks. */
export interface Project {
  /** Folder of Pulumi.yaml. */
  folder: string;
  name: string;
  stack: string;
  /** The module that is the program. */
  entry: string;
  /** Keys with their namespace, e.g. `ebpf-dataplane:returnMode`; objects as JSON, as the CLI hands them over. */
  config: Record<string, string>;
}

const projectFile = z.object({
  name: z.string(),
  runtime: z.union([z.literal("nodejs"), z.object({ name: z.literal("nodejs") })], {
    error: "must be nodejs: this runner runs TypeScript and JavaScript programs only",
  }),
  main: z.string().default("index.ts"),
});

const stackFile = z.object({ config: z.record(z.string(), z.unknown()).nullish() });

/**
 * Reads Pulumi.yaml and Pulumi.<stack>.yaml.
 * @param overrides `key=value` settings that win over the stack's file.
 */
export function readProject(folder: string, stack: string, overrides: string[] = []): Project {
  const root = resolve(folder);
  const { name, main } = readYaml(join(root, "Pulumi.yaml"), projectFile);
  const path = join(root, `Pulumi.${stack}.yaml`);
  const settings = existsSync(path) ? readYaml(path, stackFile).config : {};
  const config: Record<string, string> = {};
  for (const [key, value] of Object.entries(settings ?? {})) config[qualified(key, name)] = plain(path, key, value);
  for (const override of overrides) {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(override) ?? [];
    if (key === undefined || value === undefined) {
      throw new RunnerFailure(`--config ${override}: must be KEY=VALUE`, { exitCode: 2 });
    }
    config[qualified(key, name)] = value;
  }
  return { folder: root, name, stack, entry: resolve(root, main), config };
}

function readYaml<T>(path: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(parse(readFileSync(path, "utf8")));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
    throw new RunnerFailure(`cannot read ${path}: ${why}`, { exitCode: 2 });
  }
}

/** A key without a namespace belongs to the project. */
function qualified(key: string, project: string): string {
  return key.includes(":") ? key : `${project}:${key}`;
}

function plain(path: string, key: string, value: unknown): string {
  if (typeof value === "object" && value !== null) {
    if ("secure" in value) {
      const next = "install the Pulumi CLI, or give the value with --config for this run";
      throw new RunnerFailure(`${path}: ${key} is encrypted, and only the Pulumi CLI has the key`, {
        next,
        exitCode: 2,
      });
    }
    return JSON.stringify(value);
  }
  return String(value);
}
