// The resource options of a program, followed as the engine follows them: those that mean something without state, and those that do not.
import { RunnerFailure } from "./failure.ts";

/** A resource's options as the SDK sends them to the engine, with the names of Pulumi's protocol. */
export interface OptionsRequest {
  hasProtect(): boolean;
  getProtect(): boolean;
  hasRetainondelete(): boolean;
  getRetainondelete(): boolean;
  getDeletebeforereplace(): boolean;
  getIgnorechangesList(): string[];
  getDeletedwith(): string;
  getCustomtimeouts():
    | { getCreate(): string; getUpdate(): string; getDelete(): string; toObject(): Record<string, string> }
    | undefined;
  getReplaceonchangesList(): string[];
  getReplaceWithList(): string[];
  hasReplacementTrigger(): boolean;
  getImportid(): string;
  getHooks(): { toObject(): Record<string, unknown[]> } | undefined;
  getEnvvarmappingsMap(): { getLength(): number };
}

/** Options of a resource that a run follows. */
export interface ResourceOptions {
  /** The resource is neither deleted nor replaced. */
  protect?: boolean;
  /** The resource stays when it would be deleted. */
  retainOnDelete?: boolean;
  /** If a change is not possible in place, the object is deleted and created again. */
  deleteBeforeReplace?: boolean;
  /** Paths of inputs that keep their present values. */
  ignoreChanges?: string[];
  /** URN of the resource whose deletion also deletes this one. */
  deletedWith?: string;
  /** Milliseconds that the resource may take to become ready; absent: the handler's default. */
  timeout?: number;
  /** Milliseconds that the resource's deletion may take. */
  deleteTimeout?: number;
  /** Why a timeout is not a valid duration. */
  misspelt?: string;
  /** Options that mean nothing without state, by name. */
  unhonoured?: string[];
}

export function optionsOf(request: OptionsRequest): ResourceOptions {
  const limits = request.getCustomtimeouts();
  const given = { create: limits?.getCreate(), update: limits?.getUpdate(), delete: limits?.getDelete() };
  const timeout = milliseconds(given.create) ?? milliseconds(given.update);
  const deleteTimeout = milliseconds(given.delete);
  const misspelt = Object.entries(given).find(([, text = ""]) => !isDuration(text));
  const [ignored, deletedWith] = [request.getIgnorechangesList(), request.getDeletedwith()];
  const unhonoured = unhonouredOf(request);
  return {
    ...(request.getProtect() && { protect: true }),
    ...(request.getRetainondelete() && { retainOnDelete: true }),
    ...(request.getDeletebeforereplace() && { deleteBeforeReplace: true }),
    ...(ignored.length > 0 && { ignoreChanges: ignored }),
    ...(deletedWith && { deletedWith }),
    ...(timeout && { timeout }),
    ...(deleteTimeout && { deleteTimeout }),
    ...(misspelt && { misspelt: `customTimeouts.${misspelt[0]} is "${misspelt[1]}"` }),
    ...(unhonoured.length > 0 && { unhonoured }),
  };
}

function unhonouredOf(request: OptionsRequest): string[] {
  const hooks = Object.values(request.getHooks()?.toObject() ?? {}).flat();
  const given = {
    replaceOnChanges: request.getReplaceonchangesList().length > 0,
    replaceWith: request.getReplaceWithList().length > 0,
    replacementTrigger: request.hasReplacementTrigger(),
    import: request.getImportid() !== "",
    hooks: hooks.length > 0,
    envVarMappings: request.getEnvvarmappingsMap().getLength() > 0,
  };
  return Object.entries(given).flatMap(([option, used]) => (used ? [option] : []));
}

/** Refuses wrong options, and options that have a meaning only with state. Aliases are accepted: nothing is remembered under the former
 * name. */
export function requireHonoured(options: ResourceOptions & { type: string }): void {
  const { type, ignoreChanges, misspelt, unhonoured = [] } = options;
  if (misspelt !== undefined)
    throw new RunnerFailure(misspelt, { next: 'write a duration like "90s", "30m" or "1h30m"', exitCode: 2 });
  const isObject = type.startsWith("kubernetes:");
  // What a command was made with is not known; a rehearsal makes its machines once.
  const ignores = ignoreChanges && !isObject && !type.startsWith("aws:") ? ["ignoreChanges"] : [];
  // Commands get these options from their SDK, for their triggers; they run each time anyway.
  const given = unhonoured.filter((option) => isObject || option !== "replaceOnChanges");
  const [option] = [...given, ...ignores];
  if (option === undefined) return;
  throw new RunnerFailure(`its option ${option} needs the state that only the Pulumi CLI keeps`, {
    next: `put \`pulumi\` on PATH and run the same command again, or take ${option} out`,
    exitCode: 2,
  });
}

const UNITS = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const PART = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g;

/** Durations as Pulumi writes them, which are Go's: "30m", "1h30m", "1.5h", "500ms". Undefined: nothing, 0, or no duration. */
function milliseconds(duration = ""): number | undefined {
  const parts = [...duration.matchAll(PART)].map(
    ([, number, unit]) => Number(number) * UNITS[unit as keyof typeof UNITS],
  );
  return isDuration(duration) ? parts.reduce((sum, part) => sum + part, 0) || undefined : undefined;
}

const isDuration = (text: string): boolean => text === "0" || text.replaceAll(PART, "") === "";
