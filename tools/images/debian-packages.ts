// Finds the Debian packages of files: with dpkg for this computer, and in a list for another processor.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../command.ts";
import type { Component } from "../sbom/document.ts";

export interface DebianPackage {
  name: string;
  version: string;
  architecture: string;
  /** Its source package, and the version of that. */
  source: string;
  sourceVersion: string;
}

/** The fields of a DebianPackage, in the format of dpkg-query(1) and dpkg-deb(1). */
const FORMAT = ["Package", "Version", "Architecture", "source:Package", "source:Version"]
  .map((name) => `\${${name}}`)
  .join("\\t");

/** @param paths in either form of merged folders, /lib/x and /usr/lib/x
 * @throws Error with a path that belongs to no package */
export function packagesOfThisComputer(paths: readonly string[]): DebianPackage[] {
  const asked = paths.flatMap((path) => [path, path.replace(/^\/usr\//, "/")]);
  const found = dpkg("--search", ...asked);
  // `libc6:amd64: /lib/…/libc.so.6`; some paths in the other form are not found.
  const owners = new Map([...found.matchAll(/^(\S+): (\/.*)$/gm)].map(([, owner = "", path = ""]) => [path, owner]));
  const names = paths.map((path) => owners.get(path) ?? owners.get(path.replace(/^\/usr\//, "/")) ?? ofNone(path));
  const shown = dpkg("--show", `--showformat=${FORMAT}\\n`, ...new Set(names));
  return shown.trim().split("\n").map(packageOf);
}

const LIST = "packages.json";
interface Listed extends DebianPackage {
  files: string[];
}

/** Records in a folder which files of which packages are unpacked there. */
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
  throw new Error(
    `Cannot determine the license of ${path}: it belongs to no Debian package. Next: install it with apt.`,
  );
}

function dpkg(...words: string[]): string {
  const { stdout, error } = spawnSync("dpkg-query", words, { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } });
  if (error) throw new Error(`Cannot query dpkg for packages: ${error.message}`);
  return stdout;
}
