// The compiled programs that a local cluster needs besides its images.
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheFolder, contentKey, contents } from "./cache.ts";
import { run } from "./command.ts";
import { binaryPath, buildGoBinary, type GoBinary } from "./go-binary.ts";
import { PROCESSORS } from "./images/processor.ts";
import { COREDNS, KUBERNETES } from "./versions.ts";

const root = join(import.meta.dirname, "..");
const [major, minor] = KUBERNETES.slice(1).split(".") as [string, string];
const version = "k8s.io/component-base/version";

const kubernetes = (name: string, gitVersion: string): GoBinary => ({
  name,
  module: join(root, "tools", "kubernetes"),
  static: false,
  variables: {
    [`${version}.gitVersion`]: gitVersion,
    [`${version}.gitMajor`]: major,
    [`${version}.gitMinor`]: minor,
    [`${version}.gitTreeState`]: "clean",
  },
});

export const kube = kubernetes("kube", KUBERNETES);

/** The same code under another patch version, marked as such after "+", which kubeadm ignores. */
export const relinked = (release: string): GoBinary => kubernetes("kube-relinked", `${release}+relinked`);

export const coredns: GoBinary = {
  name: "coredns",
  module: join(root, "tools", "coredns"),
  static: true,
  variables: { "github.com/coredns/coredns/coremain.GitCommit": COREDNS },
};

const shim: GoBinary = { name: "cni", module: join(root, "agent", "cni", "shim"), static: true };

const probes = PROCESSORS.map(
  ({ name: processor }): GoBinary => ({
    name: `probe-${processor}`,
    module: join(root, "probe", "portable"),
    static: true,
    processor,
  }),
);
const probeCopy = ({ processor = "" }: GoBinary): string => join(root, "dist", "probe", processor);

export const probesAreFresh = (): boolean =>
  probes.every((probe) => existsSync(binaryPath(probe)) && existsSync(probeCopy(probe)) && sameFile(probe));

const sameFile = (probe: GoBinary): boolean => readFileSync(binaryPath(probe)).equals(readFileSync(probeCopy(probe)));

/** The portable prober for clients over SSH is part of the package: dist/probe/PROCESSOR. */
export async function buildProbes(): Promise<void> {
  for (const probe of probes) {
    await buildGoBinary(probe);
    mkdirSync(dirname(probeCopy(probe)), { recursive: true });
    copyFileSync(binaryPath(probe), `${probeCopy(probe)}.new`);
    renameSync(`${probeCopy(probe)}.new`, probeCopy(probe));
  }
}

/** The CNI plugin for another processor than this computer's. @returns its path */
export async function buildShimFor(processor: string): Promise<string> {
  const binary = { ...shim, name: `${shim.name}-${processor}`, processor };
  await buildGoBinary(binary);
  return binaryPath(binary);
}

export const shimExists = (): boolean => existsSync(join(shim.module, "go.mod"));
export const shimIsFresh = (): boolean => !shimExists() || (existsSync(binaryPath(shim)) && existsSync(shimCopy));

const shimCopy = join(root, "dist", "cni", "ebpf-dataplane");

/** The CNI plugin is part of the package, so it is copied to dist/cni/. @returns true if nothing had to be done */
export async function buildShim(): Promise<boolean> {
  const fresh = shimIsFresh() && (await buildGoBinary(shim));
  if (fresh) return true;
  await buildGoBinary(shim);
  mkdirSync(join(root, "dist", "cni"), { recursive: true });
  copyFileSync(binaryPath(shim), `${shimCopy}.new`);
  renameSync(`${shimCopy}.new`, shimCopy);
  return false;
}

/** Compiles the program of the pause image. @returns its path */
export async function buildPause(): Promise<string> {
  const sources = contents(join(root, "tools", "images"), (path) => path === "pause.c");
  const path = join(cacheFolder("bin"), `pause-${contentKey({ ...sources, processor: process.arch })}`);
  if (existsSync(path)) return path;
  await run("clang", ["-Os", "-Wall", "-Wextra", "-Werror", "-static", "-s", "-o", `${path}.new`, "pause.c"], {
    cwd: join(root, "tools", "images"),
  });
  renameSync(`${path}.new`, path);
  return path;
}

const loadSources = join(root, "measure", "load");
const load = join(root, "dist", "load");
const loadStamp = join(root, "dist", ".load-key");
const loadKey = (): string =>
  contentKey({ ...contents(loadSources, (path) => /\.[ch]$/.test(path)), processor: process.arch });

export const loadIsFresh = (): boolean =>
  existsSync(load) && existsSync(loadStamp) && readFileSync(loadStamp, "utf8") === loadKey();

/** Compiles the load generator of the measurements into dist/load. It is static, so that it also runs on other systems. */
export async function buildLoad(): Promise<void> {
  mkdirSync(dirname(load), { recursive: true });
  const flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-static", "-pthread", "-s"];
  await run("clang", [...flags, "-o", `${load}.new`, "main.c"], { cwd: loadSources });
  renameSync(`${load}.new`, load);
  writeFileSync(loadStamp, loadKey());
}
