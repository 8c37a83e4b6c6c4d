// The place in the user's program or settings that a message concerns, in the form that terminals and editors open: FILE:LINE:COLUMN.
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { isMap, isScalar, LineCounter, parseDocument } from "yaml";
import { type Project, plainSetting } from "./project.ts";

export interface Frame {
  /** Absolute path. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** The user's working folder: a run changes to the program's. */
const startedIn = process.cwd();

const packageRoot = join(import.meta.dirname, "..");
/** In a checkout of this package: folders with sources of its programs, but without Pulumi programs. */
const LIBRARY = ["components", "model", "runner", "dist"].map((folder) => join(packageRoot, folder) + sep);
const SETTINGS_READER = join(packageRoot, "stacks", "settings.ts");

/** The places of a stack's program. */
export class Places {
  readonly #project: Project;
  readonly #folders: string[];

  constructor(project: Project) {
    this.#project = project;
    this.#folders = [project.folder, dirname(project.entry)].map((folder) => realPath(folder) + sep);
  }

  /** The first of the frames in a file of the user. */
  ofFrames(frames: readonly Frame[]): string | undefined {
    const frame = frames.find(({ file }) => this.#isUsers(file));
    return frame && `${shortPath(frame.file)}:${frame.line}:${frame.column}`;
  }

  /** The place of an error that the program threw. */
  ofError(error: unknown): string | undefined {
    if (!(error instanceof Error)) return undefined;
    const { message } = error;
    const setting = this.#ofSetting(message);
    // If a program of this package refuses something, the cause is a setting, in the stack's file or on the command line.
    if (setting !== undefined || message.startsWith('Stack "')) return setting;
    return this.ofFrames(framesOf(error));
  }

  #isUsers(file: string): boolean {
    if (file.includes(`${sep}node_modules${sep}`) || file === SETTINGS_READER) return false;
    if (LIBRARY.some((folder) => file.startsWith(folder))) return false;
    return this.#folders.some((folder) => file.startsWith(folder));
  }

  /** The place of a setting that a message names, in the stack's file. A setting of the command line is in no file. */
  #ofSetting(message: string): string | undefined {
    const { config, name, settings } = this.#project;
    const keys = Object.keys(config);
    const key = keys.find((one) => names(message, one)) ?? keys.find((one) => refuses(message, one, config[one] ?? ""));
    if (key === undefined || !existsSync(settings)) return undefined;
    const counter = new LineCounter();
    const document = parseDocument(readFileSync(settings, "utf8"), { lineCounter: counter });
    const written = document.get("config");
    const spellings = [key, key.startsWith(`${name}:`) ? key.slice(name.length + 1) : key];
    const pair =
      isMap(written) && written.items.find(({ key: own }) => isScalar(own) && spellings.includes(String(own.value)));
    if (!pair || !isScalar(pair.key) || !pair.key.range) return undefined;
    const value = (document.toJS() as { config: Record<string, unknown> }).config[String(pair.key.value)];
    if (plainSetting(value) !== config[key]) return undefined;
    const { line, col } = counter.linePos(pair.key.range[0]);
    return `${shortPath(settings)}:${line}:${col}`;
  }
}

/** Whether a message has a setting's key as a whole word. */
function names(message: string, key: string): boolean {
  const at = message.indexOf(key);
  return at >= 0 && !/[\w-]/.test(message[at + key.length] ?? "");
}

/** Whether a message refuses an argument that has a setting's name and value: programs pass most of theirs on as they are. */
function refuses(message: string, key: string, value: string): boolean {
  const [, argument, received = ""] =
    /^\w+ "[^"]*": (?:\S*\.)?(\w+)(?:\[\d+\])* is (.+?), but must be /s.exec(message) ?? [];
  return argument === key.slice(key.indexOf(":") + 1) && value.includes(received.replace(/^"(.*)"$/s, "$1"));
}

/** The frames of an error, the innermost first. An error of the compiler has its place before the message. */
export function framesOf({ stack = "" }: Error): Frame[] {
  return stack.split("\n").flatMap((line, index) => {
    const [, place = "", row = "", column = "1"] =
      /^\s*at (?:.*\()?(?:async )?([^()]+?):(\d+):(\d+)\)?$/.exec(line) ??
      (index === 0 ? (/^(\/.+?|\w:\\.+?|file:.+?):(\d+)$/.exec(line) ?? []) : []);
    const file = pathOf(place);
    return file === undefined ? [] : [{ file, line: Number(row), column: Number(column) }];
  });
}

/** @param place a path, or the URL of one. Undefined if it is not a file, such as `node:internal`. */
export function pathOf(place: string): string | undefined {
  if (place.startsWith("file:")) return realPath(fileURLToPath(place));
  return isAbsolute(place) ? realPath(place) : undefined;
}

/** Loaded modules have paths without symbolic links. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** The path as the user would write it. */
export function shortPath(path: string): string {
  const below = relative(realPath(startedIn), realPath(path));
  return below.startsWith("..") || isAbsolute(below) ? path : below;
}
