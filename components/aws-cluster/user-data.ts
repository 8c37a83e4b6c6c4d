import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../program/installed-program.ts";
import { type InputPlace, refuse } from "../refusal/refusal.ts";

/** Settings of a node: variables of bootstrap/node.sh. None is secret, because user data is not. */
export type NodeSettings = Record<string, string>;

/** EC2's limit for user data before it is encoded. */
const MOST_BYTES = 16 * 1024;

const SCRIPTS = ["parameters.sh", "packages.sh", "node.sh"];

/** The user data of a node: its settings, then the scripts that lab machines run too, without their comments. One shell script, as
 * cloud-init takes it. */
export function userData(settings: NodeSettings): string {
  const lines = Object.entries(settings).map(([name, value]) => `export ${name}=${quoted(value)}`);
  const scripts = SCRIPTS.map((name) => readFileSync(join(packageRoot(), "components", "bootstrap", name), "utf8"));
  return ["#!/bin/bash", ...lines, ...scripts.map((script) => script.replace(/^ *#.*\n/gm, ""))].join("\n");
}

/** Refuses settings whose user data EC2 would refuse; `place` is the argument that can grow. */
export function requireSize(place: InputPlace, received: unknown, text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes <= MOST_BYTES) return text;
  return refuse(
    place,
    received,
    `shorter: the user data of an instance is ${bytes} bytes, and EC2 takes ${MOST_BYTES}`,
  );
}

function quoted(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}
