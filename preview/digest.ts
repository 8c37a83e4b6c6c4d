import { z } from "zod";
import { type Change, changes, type Resource } from "./resource.ts";

/** The Pulumi CLI's placeholder for a value that is known only after deployment (`UnknownStringValue` of its SDK). */
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const SECRET = "[secret]";

const stateSchema = z.object({
  urn: z.string(),
  type: z.string(),
  parent: z.string().default(""),
  provider: z.string().default(""),
  inputs: z.record(z.string(), z.unknown()).default({}),
  propertyDependencies: z.record(z.string(), z.array(z.string()).nullable()).nullish(),
});
type State = z.output<typeof stateSchema>;

/** The part of `pulumi preview --json` in use (PreviewDigest of the CLI). */
const digestSchema = z.object(
  {
    steps: z.array(
      z.object({ op: z.string(), urn: z.string(), oldState: stateSchema.nullish(), newState: stateSchema.nullish() }),
    ),
  },
  { error: 'must be an object with "steps"' },
);

/** A stack before and after the deployment. */
export interface Digest {
  project: string;
  stack: string;
  before: Resource[];
  after: Resource[];
}

/** The text is not a digest; the message is one sentence. */
export class NotADigest extends Error {}

/** Reads the output of `pulumi preview --json --show-sames`. @throws NotADigest */
export function readDigest(text: string): Digest {
  const { steps } = parsed(text);
  const [, stack = "", project = ""] = /^urn:pulumi:([^:]+)::([^:]+)::/.exec(steps[0]?.urn ?? "") ?? [];
  if (stack === "") throw new NotADigest("it has no steps: run `pulumi preview --json --show-sames`");
  const after = new Map<string, Resource>();
  const before = new Map<string, Resource>();
  for (const { op, urn, oldState, newState } of steps) {
    if (urn.includes("::pulumi:pulumi:Stack::") || urn.includes("::pulumi:providers:command::")) continue;
    const change = changeOf(op);
    if (oldState) before.set(urn, resourceOf(oldState));
    // A replacement has several steps: the one that creates the new resource has the most information.
    if (newState && change !== "delete") after.set(urn, { ...resourceOf(newState), change });
    if (change === "delete" && oldState && !after.has(urn)) after.set(urn, { ...resourceOf(oldState), change });
  }
  return { project, stack, before: inOrder(before), after: inOrder(after) };
}

/** The CLI works on resources in parallel, so the order of its steps varies. */
function inOrder(resources: ReadonlyMap<string, Resource>): Resource[] {
  return [...resources].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, resource]) => resource);
}

function parsed(text: string): z.output<typeof digestSchema> {
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch (error) {
    throw new NotADigest(`it is not valid JSON: ${(error as Error).message}`);
  }
  const result = digestSchema.safeParse(written);
  if (result.success) return result.data;
  throw new NotADigest(`it is not the output of \`pulumi preview --json\`: ${z.prettifyError(result.error)}`);
}

/** The CLI's names for steps; a replacement has three. */
function changeOf(op: string): Change {
  if (op.includes("replace")) return op.startsWith("delete") ? "delete" : "replace";
  return changes.find((change) => change === op) ?? "same";
}

function resourceOf({ urn, type, parent, provider, inputs, propertyDependencies }: State): Resource {
  const references = Object.entries(propertyDependencies ?? {}).flatMap(([input, urns]) =>
    urns && urns.length > 0 ? [[input, urns] as const] : [],
  );
  return {
    type,
    name: urn.split("::").at(-1) ?? urn,
    urn,
    parent: parent.includes("::pulumi:pulumi:Stack::") ? "" : parent,
    inputs: knownPart(inputs) as Record<string, unknown>,
    references: Object.fromEntries(references),
    provider: isDefault(provider) ? "" : provider,
  };
}

function isDefault(provider: string): boolean {
  return /^default(_|$)/.test(provider.split("::").at(-2) ?? "default");
}

/** A value without its unknown and secret parts. */
function knownPart(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(knownPart).filter((item) => item !== undefined);
  if (value === UNKNOWN || value === SECRET) return undefined;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, knownPart(item)] as const);
  return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
}
