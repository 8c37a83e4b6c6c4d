// Which of Debian's packages files are of: asked of dpkg for this computer's, and of a list for those of another processor.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../command.ts";
import type { Component } from "../sbom/document.ts";

export interface DebianPackage {
  name: string;
  version: string;
  architecture: string;
  /** The package of sources that it is made from, and its version. */
  source: string;
  sourceVersion: string;
}

/** The fields of a DebianPackage, as dpkg-query(1) and dpkg-deb(1) are asked for them. */
const FORMAT = ["Package", "Version", "Architecture", "source:Package", "source:Version"]
  .map((name) => `\${${name}}`)
  .join("\\t");

/** @param paths in any of the two forms that merged folders have, /lib/x and /usr/lib/x
 * @throws Error naming a path that is of no package */
export function packagesOfThisComputer(paths: readonly string[]): DebianPackage[] {
  const asked = paths.flatMap((path) => [path, path.replace(/^\/usr\//, "/")]);
  const found = dpkg("--search", ...asked);
  // `libc6:amd64: /lib/…/libc.so.6`; some paths in the wrong form are none.
  const owners = new Map([...found.matchAll(/^(\S+): (\/.*)$/gm)].map(([, owner = "", path = ""]) => [path, owner]));
  const names = paths.map((path) => owners.get(path) ?? owners.get(path.replace(/^\/usr\//, "/")) ?? ofNone(path));
  const shown = dpkg("--show", `--showformat=${FORMAT}\\n`, ...new Set(names));
  return shown.trim().split("\n").map(packageOf);
}

const LIST = "packages.json";
interface Listed extends DebianPackage {
  files: string[];
}

/** Notes in a folder which files of what packages are unpacked there. */
export async function listPackages(archives: readonly string[]): Promise<{ name: string; text: string }> {
  const listed: Listed[] = [];
  for (const archive of archives) {
    const shown = await run("dpkg-deb", ["--show", `--showformat=${FORMAT}`, archive], { timeoutSeconds: 60 });
    const contents = await run("dpkg-deb", ["--contents", archive], { timeoutSeconds: 60 });
    const files = [...contents.matchAll(/ \.(\/\S+?)(?: -> .*| link to .*)?$/gm)].map(([, path = ""]) => path);
    listed.push({ ...packageOf(shown), files: files.filter((path) => !path.endsWith("/")) });
  }
  return { name: LIST, text: JSON.stringify(listed) };
}

export function packagesOfFolder(folder: string, paths: readonly string[]): DebianPackage[] {
  const listed = JSON.parse(readFileSync(join(folder, LIST), "utf8")) as Listed[];
  const owners = new Map(listed.flatMap((one) => one.files.map((path) => [path, one] as const)));
  const found = paths.map((path) => owners.get(path) ?? owners.get(path.replace(/^\/usr\//, "/")) ?? ofNone(path));
  return [...new Set(found)].map(({ files: _, ...one }) => one);
}

function packageOf(line: string): DebianPackage {
  const [name = "", version = "", architecture = "", source = "", sourceVersion = ""] = line.trim().split("\t");
  return { name, version, architecture, source, sourceVersion };
}

/** As a component of a bill of materials. */
export function debianComponent({ name, version, architecture, source, sourceVersion }: DebianPackage): Component {
  const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${architecture}`;
  const license = `in share/doc/${name}/copyright`;
  return { type: "library", name, version, purl, license, more: { source: `${source} ${sourceVersion}` } };
}

function ofNone(path: string): never {
  throw new Error(`Cannot tell under which licence ${path} is: it is of no Debian package. Next: install it by apt.`);
}

function dpkg(...words: string[]): string {
  const { stdout, error } = spawnSync("dpkg-query", words, { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } });
  if (error) throw new Error(`Cannot ask dpkg for packages: ${error.message}`);
  return stdout;
}
