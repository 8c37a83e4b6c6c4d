import { existsSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { LabFailure } from "./failure.ts";

/** This file's folder: lab/ when run from sources, dist/ when bundled. Both contain the scripts. */
const here = import.meta.dirname;

/** The package's root folder, visible inside machines at the same path. */
export const packageFolder = dirname(here);

/** How what `make build` makes comes to be there: the npm package has nothing that builds it. */
export const buildWith = existsSync(join(packageFolder, "Makefile"))
  ? "build it with 'make build'"
  : "run 'make build' in a checkout of ebpf-dataplane, and set EBPF_DATAPLANE_PACKAGE to its folder: the npm package cannot build it";

/** The folder of built binaries and images, shared by all labs and never removed by them. */
export const cacheFolder = resolve(process.env.EBPF_DATAPLANE_CACHE || "/var/cache/ebpf-dataplane");

/** The script that boots a machine, next to the program: lab/machines/boot.sh, dist/machines/boot.sh. */
export const bootScript = (): string => existing(join(here, "machines/boot.sh"));

/** The script that makes a machine a node, the same as in the user data of a cloud's instances. */
export const nodeScript = (): string => existing(join(packageFolder, "components/bootstrap/node.sh"));

function existing(path: string): string {
  if (!existsSync(path))
    throw new LabFailure(`the installation is not complete: ${path} is missing`, { next: "build the package again" });
  return path;
}

/** The Kubernetes binary: one program that acts as kubeadm, kubelet, kubectl, ... depending on the name it is called by. */
export function kubernetesBinary(): string {
  const path = join(cacheFolder, "bin", "kube");
  if (!existsSync(path))
    throw new LabFailure(`there is no Kubernetes binary: ${path} is missing`, {
      next: `${buildWith}; or set EBPF_DATAPLANE_CACHE to the folder that holds bin/kube`,
    });
  return path;
}

/** Where machines find Kubernetes: a folder for each release, built by `tools/`. */
export const releasesFolder = join(cacheFolder, "kubernetes");

/** @throws LabFailure (exit code 2) if that release of Kubernetes is not available to machines. */
export function requireRelease(version: string): void {
  if (existsSync(join(releasesFolder, version, "kubeadm"))) return;
  const present = existsSync(releasesFolder) ? readdirSync(releasesFolder).sort() : [];
  throw new LabFailure(
    `Kubernetes ${version} is not available on this computer; available: ${present.join(", ") || "none"}`,
    {
      next: present.length > 0 ? "set kubernetesVersion to one of them" : buildWith,
      exitCode: 2,
    },
  );
}

/** Arguments with which Node runs the lab's command line again. */
export function program(): string[] {
  const bundle = join(here, "lab.js");
  return [existsSync(bundle) ? bundle : join(here, "main.ts")];
}
