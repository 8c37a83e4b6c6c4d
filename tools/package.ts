// `make package`: the npm package to publish, as a folder and as a tarball.
//
// Its content is what `npm pack` selects from the checkout ("files" in package.json). Its package.json has
// no development dependencies, because the Pulumi CLI installs all dependencies of a component plugin, with their plugins.
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { run } from "./command.ts";
import { debianComponent, packagesOfThisComputer } from "./images/debian-packages.ts";
import { thisProcessor } from "./images/processor.ts";
import { billOfMaterials } from "./sbom/document.ts";
import { goComponents, goLicense } from "./sbom/go.ts";
import { dependencies, npmComponent, readLock } from "./sbom/npm.ts";

const root = join(import.meta.dirname, "..");

/** The load generator contains the C library. */
const LIBC = `/usr/lib/${thisProcessor().triplet}/libc.a`;

/** Parts that are compiled: not on every computer that runs the commands. */
const COMPILED = [
  {
    step: "load",
    lacks: "the load generator for measurements (it needs Debian)",
    able: () => existsSync(LIBC) && isOnPath("dpkg-query"),
  },
  { step: "probe", lacks: "the prober for machines over SSH (it needs Go)", able: () => isOnPath("go") },
];

/** For `pulumi package add` and `npm publish`. Not the checkout, because it also contains a program (Pulumi.yaml), which the CLI refuses. */
const PACKAGE_FOLDER = join(root, "dist", "package");

/**
 * Makes the package from what is built. Two at a time do not meet: all is written in the destination, and nothing into what is packed.
 * @param destination folder of the tarball
 * @param folder becomes the tarball's content; absent: that is not kept
 * @returns path of the tarball
 */
export async function makePackage(destination: string, folder?: string): Promise<string> {
  if (!existsSync(join(root, "dist", "runner.js")))
    throw new Error("Cannot pack: the package is not built. Next: make build.");
  mkdirSync(destination, { recursive: true });
  const draft = mkdtempSync(join(destination, ".package-"));
  try {
    await run("tar", ["-xzf", await pack(root, draft), "-C", draft], { timeoutSeconds: 600 });
    const staged = join(draft, "package");
    const {
      scripts: _,
      devDependencies: __,
      ...manifest
    } = JSON.parse(readFileSync(join(staged, "package.json"), "utf8"));
    // npm refuses to publish what is private.
    const unfinished = lacking(staged).length > 0 && { private: true };
    writeFileSync(join(staged, "package.json"), `${JSON.stringify({ ...manifest, ...unfinished }, null, 2)}\n`);
    writeBill(staged, manifest);
    const tarball = await pack(staged, destination);
    if (folder !== undefined) {
      rmSync(folder, { recursive: true, force: true });
      renameSync(staged, folder);
    }
    return tarball;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** What a package of this folder would not contain. */
const lacking = (folder: string): string[] =>
  COMPILED.filter(({ step }) => !existsSync(join(folder, "dist", step))).map(({ lacks }) => lacks);

/** The components of the package and its npm dependencies, with name, version, license and hash; and the licenses of components that are not npm packages. */
function writeBill(staged: string, { name, version }: { name: string; version: string }): void {
  const lock = readLock(join(root, "package-lock.json"));
  const bundled = JSON.parse(readFileSync(join(root, "dist", "bundled.json"), "utf8")) as Record<string, string[]>;
  const inside = (...path: string[]) => join(staged, "dist", ...path);
  const bundles = Object.keys(bundled).filter((file) => existsSync(inside(file)));
  const programs = globSync(inside("probe", "*"));
  const libc = existsSync(inside("load")) ? packagesOfThisComputer([LIBC]) : [];
  const bill = billOfMaterials({ type: "library", name, version, purl: `pkg:npm/${name}@${version}` }, [
    ...bundles.flatMap((file) => (bundled[file] ?? []).map((place) => npmComponent(lock, place, "bundled"))),
    ...dependencies(lock),
    ...programs.flatMap(goComponents),
    ...libc.map(debianComponent),
  ]);
  writeFileSync(inside("sbom.cdx.json"), bill);
  mkdirSync(inside("licenses"));
  if (programs.length > 0) copyFileSync(goLicense(), inside("licenses", "go.txt"));
  for (const { name: debian } of libc) {
    copyFileSync(`/usr/share/doc/${debian}/copyright`, inside("licenses", `${debian}.txt`));
  }
}

async function pack(folder: string, destination: string): Promise<string> {
  const words = ["pack", "--ignore-scripts", "--json", "--pack-destination", destination];
  const [{ filename }] = JSON.parse(await run("npm", words, { cwd: folder, timeoutSeconds: 600 }));
  return join(destination, filename);
}

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));
}

/** Builds what this computer can. */
function buildParts(): void {
  const parts = [...COMPILED.filter(({ able }) => able()).map(({ step }) => step), "bundle", "components"];
  const words = [join(import.meta.dirname, "build.ts"), "--quiet", ...parts];
  const { status } = spawnSync(process.execPath, words, { stdio: "inherit" });
  if (status !== 0) throw new Error("Cannot pack: the package could not be built.");
}

if (import.meta.main) {
  try {
    buildParts();
    const tarball = await makePackage(join(root, "out"), PACKAGE_FOLDER);
    const lacks = lacking(PACKAGE_FOLDER);
    if (lacks.length > 0)
      process.stderr.write(
        `The package is for trying it, and npm will not publish it: it lacks ${lacks.join(" and ")}. Next: make package on Debian.\n`,
      );
    process.stdout.write(`${PACKAGE_FOLDER}\n${tarball}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}
