// Runs the runner's preview of many programs in one process, each as the command `preview` does. In: files of projects (JSON) on standard
// input, and the folder for them as argument. Out: a line of JSON for each: what a user sees, the exit status, and what was written.
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { text } from "node:stream/consumers";

/** Files of a project by name. */
type Project = Readonly<Record<string, string>>;

export interface Seen {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Files that were not there before. */
  readonly written: readonly string[];
}

const root = join(import.meta.dirname, "..", "..");
const [folder = ""] = process.argv.slice(2);
const projects = JSON.parse(await text(process.stdin)) as Project[];
const { cache, extensions } = createRequire(import.meta.url);
const print = process.stdout.write.bind(process.stdout);
for (const [number, files] of projects.entries()) print(`${JSON.stringify(await preview(number, files))}\n`);
process.exit(0);

async function preview(number: number, files: Project): Promise<Seen> {
  const place = join(folder, String(number));
  mkdirSync(place);
  symlinkSync(join(root, "node_modules"), join(place, "node_modules"));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(place, name), content);
  const before = readdirSync(place);
  const compilers = { ...extensions };
  // A program runs when it is loaded.
  for (const path of Object.keys(cache)) if (path.startsWith(join(root, "stacks"))) delete cache[path];
  const said = { stdout: "", stderr: "" };
  const restore = (["stdout", "stderr"] as const).map((stream) => {
    const { write } = process[stream];
    process[stream].write = (chunk: string | Uint8Array) => {
      said[stream] += String(chunk);
      return true;
    };
    return () => {
      process[stream].write = write;
    };
  });
  const { exit } = process;
  const ended = new Promise<number | undefined>((resolve) => {
    process.exit = ((code?: number) => resolve(code)) as typeof exit;
  });
  process.argv = [process.execPath, "runner", "preview", "--no-cli", "--stack", "dev", "--cwd", place];
  await import(join(root, "runner", `main.ts?${number}`));
  const code = await ended;
  process.exit = exit;
  for (const each of restore) each();
  // Each run compiles TypeScript, and with what the runs before it left too.
  for (const name of Object.keys(extensions)) if (!(name in compilers)) delete extensions[name];
  Object.assign(extensions, compilers);
  return { code, ...said, written: readdirSync(place).filter((name) => !before.includes(name)) };
}
