import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { faultsOf, inWords } from "../components/documents/faults.ts";
import { messageOf, RunnerFailure } from "./failure.ts";

/** A stack of a Pulumi program. */
export interface Stack {
  /** Folder of Pulumi.yaml. */
  folder: string;
  /** The project's name. */
  name: string;
  stack: string;
  /** The program's main module. */
  entry: string;
  /** Path of Pulumi.<stack>.yaml, which need not exist. */
  settings: string;
}

/** A stack and its configuration. */
export interface Project extends Stack {
  /** Keys with their namespace, e.g. `ebpf-dataplane:returnMode`; objects as JSON, as the CLI passes them. */
  config: Record<string, string>;
}

const projectFile = z.object({
  name: z.string(),
  runtime: z.union([z.literal("nodejs"), z.object({ name: z.literal("nodejs") })], {
    error: "must be nodejs: this runner runs TypeScript and JavaScript programs only",
  }),
  main: z.string().default("index.ts"),
});

// All keys of the Pulumi CLI in a stack's file (Pulumi.STACK.yaml); without this check "confg" would leave every setting at its default.
const stackFile = z.strictObject({
  config: z.record(z.string(), z.unknown()).nullish(),
  environment: z.unknown().optional(),
  secretsprovider: z.unknown().optional(),
  encryptedkey: z.unknown().optional(),
  encryptionsalt: z.unknown().optional(),
});

/** A setting that only the Pulumi CLI can read. */
export class EncryptedSetting extends RunnerFailure {}

/** Reads Pulumi.yaml. */
export function readStack(folder: string, stack: string): Stack {
  const root = resolve(folder);
  const { name, main } = readYaml(join(root, "Pulumi.yaml"), projectFile);
  return { folder: root, name, stack, entry: resolve(root, main), settings: join(root, `Pulumi.${stack}.yaml`) };
}

/**
 * Reads Pulumi.yaml and Pulumi.<stack>.yaml.
 * @param overrides `key=value` settings that override the stack's file.
 */
export function readProject(folder: string, stack: string, overrides: string[] = []): Project {
  const read = readStack(folder, stack);
  const settings = existsSync(read.settings) ? readYaml(read.settings, stackFile).config : {};
  const config: Record<string, string> = {};
  for (const [key, value] of Object.entries(settings ?? {})) {
    config[qualified(key, read.name)] = plain(read.settings, key, value);
  }
  return { ...read, config: { ...config, ...overridesOf(read, overrides) } };
}

/** The settings of one text, separated by spaces: `router=true ipFamilies=["IPv4", "IPv6"]`. A value may have spaces too. */
export const settingsOf = (text: string): string[] =>
  text
    .trim()
    .split(/\s+(?=[\w.:-]+=)/)
    .filter(Boolean);

/** `key=value` settings by their key with its namespace. */
export function overridesOf({ name }: Stack, overrides: string[]): Record<string, string> {
  const config: Record<string, string> = {};
  for (const override of overrides) {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(override) ?? [];
    if (key === undefined || value === undefined) {
      throw new RunnerFailure(`--config ${override}: must be KEY=VALUE`, { exitCode: 2 });
    }
    config[qualified(key, name)] = value;
  }
  return config;
}

function readYaml<T>(path: string, schema: z.ZodType<T>): T {
  let document: unknown;
  try {
    document = parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new RunnerFailure(`cannot read ${path}: ${messageOf(error)}`, { exitCode: 2 });
  }
  const [fault] = faultsOf(schema, document);
  if (fault) throw new RunnerFailure(`${path}: ${inWords(fault)}`, { exitCode: 2 });
  return schema.parse(document);
}

/** A key without a namespace belongs to the project. */
function qualified(key: string, project: string): string {
  return key.includes(":") ? key : `${project}:${key}`;
}

function plain(path: string, key: string, value: unknown): string {
  if (typeof value === "object" && value !== null && "secure" in value) {
    const next = "install the Pulumi CLI, or set the value for this run with --config";
    throw new EncryptedSetting(`${path}: ${key} is encrypted, and only the Pulumi CLI has the key`, {
      next,
      exitCode: 2,
    });
  }
  return plainSetting(value);
}

/** A setting of a stack's file as programs get it. */
export const plainSetting = (value: unknown): string =>
  typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
