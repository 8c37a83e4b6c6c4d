// The modules of a Go program, read from the program itself.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Component } from "./document.ts";

/** @returns the standard library and every module in the program */
export function goComponents(program: string): Component[] {
  return goModules(execFileSync("go", ["version", "-m", program], { encoding: "utf8" }));
}

/** @param answer output of `go version -m`: `FILE: go1.26.8`, then `dep NAME VERSION HASH`, where a replacement follows its module as `=>` */
export function goModules(answer: string): Component[] {
  const [first = "", ...lines] = answer.split("\n");
  const release = / go([0-9.]+)/.exec(first)?.[1];
  if (!release) throw new Error(`Cannot determine the Go version of a program: ${first || "no output of go"}.`);
  const modules: [string, string][] = [["std", release]];
  for (const line of lines) {
    const [, kind, name = "", version = ""] = line.split("\t");
    if (kind === "=>") modules.pop();
    if (kind === "dep" || kind === "=>") modules.push([name, version]);
  }
  return modules.map(([name, version]) => ({
    type: "library",
    name,
    version,
    purl: `pkg:golang/${name}@${version}`,
    ...(name === "std" && { license: "BSD-3-Clause" }),
  }));
}

/** The license of Go and its standard library. @throws Error if Go was installed without it */
export function goLicense(): string {
  const file = join(execFileSync("go", ["env", "GOROOT"], { encoding: "utf8" }).trim(), "LICENSE");
  if (existsSync(file)) return file;
  throw new Error(`Cannot find Go's license next to Go's library: ${file} is missing.`);
}
