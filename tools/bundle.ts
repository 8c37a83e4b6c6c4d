// Builds the JavaScript of the package: dist/{agent,probe,lab,verify,runner,cluster,cli}.js, each a single file with its dependencies,
// and dist/components with its types. `npm run build` and `npm prepare` run this program.
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { contentKey, contents } from "./cache.ts";
import { bundledPackages, notices } from "./notices.ts";
import { inOneByte } from "./one-byte.ts";
import { tsc } from "./tsc.ts";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");

/** Each is a folder with a main.ts. */
const ENTRIES = ["agent", "probe", "lab", "verify", "runner", "cluster", "cli"];

/** CommonJS has no import.meta; these definitions replace it, relative to the bundle. */
const IMPORT_META = {
  "import.meta.dirname": "__dirname",
  "import.meta.filename": "__filename",
  "import.meta.url": "__bundleUrl",
};

/**
 * Packages that are not bundled but installed next to the bundles. Runner and components must share the state of one Pulumi
 * SDK, and koffi has a native part. Everything else is bundled: the only package in the agent's image is koffi.
 */
const OUTSIDE = ["@pulumi/*", "koffi", "ts-node", "typescript"];

/**
 * Bundles every entry.
 * @param folder root of the sources; `dist` is created in it
 * @returns the entries that do not exist
 */
export async function bundle(folder: string = root): Promise<string[]> {
  const present = ENTRIES.filter((name) => existsSync(join(folder, name, "main.ts")));
  const { metafile } = await build({
    absWorkingDir: folder,
    entryPoints: Object.fromEntries(present.map((name) => [name, join(folder, name, "main.ts")])),
    outdir: join(folder, "dist"),
    bundle: true,
    platform: "node",
    target: "node22",
    format: "cjs",
    external: OUTSIDE,
    define: IMPORT_META,
    // The report's page is written as JSX.
    jsx: "automatic",
    jsxImportSource: "preact",
    banner: { js: 'const __bundleUrl = require("node:url").pathToFileURL(__filename).href;' },
    // Error messages name the function they came from.
    keepNames: true,
    logLevel: "silent",
    metafile: true,
  });
  const agent = join(folder, "dist", "agent.js"); // the one that runs for as long as its node does
  if (existsSync(agent)) writeFileSync(agent, inOneByte(readFileSync(agent, "utf8"), agent));
  writeFileSync(join(folder, "dist", "THIRD-PARTY-LICENSES"), notices(folder, metafile));
  writeFileSync(join(folder, "dist", "bundled.json"), JSON.stringify(bundledPackages(metafile), null, 2));
  copyScripts(folder);
  return ENTRIES.filter((name) => !present.includes(name));
}

/** The shell scripts that the lab runs inside machines are next to it, in the sources and in dist. */
function copyScripts(folder: string): void {
  for (const script of globSync("**/*.sh", { cwd: join(folder, "lab") })) {
    mkdirSync(join(folder, "dist", dirname(script)), { recursive: true });
    copyFileSync(join(folder, "lab", script), join(folder, "dist", script));
  }
}

const stamp = join(dist, ".components-key");

export function componentsAreFresh(): boolean {
  return existsSync(stamp) && readFileSync(stamp, "utf8") === componentsKey();
}

/** @throws Error with the compiler's messages */
export async function compileComponents(): Promise<void> {
  if (!existsSync(join(root, "components", "index.ts"))) return;
  const key = componentsKey();
  const draft = join(dist, ".draft");
  rmSync(draft, { recursive: true, force: true });
  const emit = ["--noEmit", "false", "--rewriteRelativeImportExtensions", "--outDir", draft];
  await tsc("-p", "tsconfig.json", ...emit);
  nameCompiledFiles(draft);
  // Replaced as a whole: the output of a deleted source must not stay, and running programs must not see a partial state.
  for (const name of readdirSync(draft)) {
    rmSync(join(dist, name), { recursive: true, force: true });
    renameSync(join(draft, name), join(dist, name));
  }
  rmSync(draft, { recursive: true });
  writeFileSync(stamp, key);
}

/** Compilers before TypeScript 5 refuse imports of "x.ts", which declarations contain. */
function nameCompiledFiles(folder: string): void {
  for (const file of globSync("**/*.d.ts", { cwd: folder })) {
    const text = readFileSync(join(folder, file), "utf8");
    writeFileSync(join(folder, file), text.replace(/((?:from |import\()"\.{1,2}\/[^"]*)\.ts"/g, '$1.js"'));
  }
}

function componentsKey(): string {
  const folders = ["components", "model", "stacks"].filter((folder) => existsSync(join(root, folder)));
  const parts: Record<string, string | Uint8Array> = {};
  for (const folder of folders) {
    for (const [path, content] of Object.entries(contents(join(root, folder), (name) => /\.(ts|json)$/.test(name))))
      parts[`${folder}/${path}`] = content;
  }
  for (const file of ["index.ts", "tsconfig.json", "package-lock.json"]) {
    if (existsSync(join(root, file))) parts[file] = readFileSync(join(root, file));
  }
  return contentKey(parts);
}

if (import.meta.main) {
  const missing = await bundle();
  if (missing.length > 0) process.stderr.write(`not bundled, because main.ts is missing: ${missing.join(", ")}\n`);
  if (!componentsAreFresh()) await compileComponents();
}
