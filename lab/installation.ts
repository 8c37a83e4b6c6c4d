import { existsSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { LabFailure } from "./failure.ts";

/** This file's folder: lab/ when run from sources, dist/ when bundled. The scripts lie below it in both. */
const here = import.meta.dirname;

/** The package's root folder, shown inside machines at the same place. */
export const packageFolder = dirname(here);

/** What holds built binaries and images; shared by all labs, never removed by them. */
export const cacheFolder = resolve(process.env.EBPF_DATAPLANE_CACHE || "/var/cache/ebpf-dataplane");

/** The script that boots a machine, which travels beside the program: lab/machines/boot.sh, dist/machines/boot.sh. */
export const bootScript = (): string => existing(join(here, "machines/boot.sh"));

/** The script that makes a machine a node, the same as in the user data of a cloud's instances. */
export const nodeScript = (): string => existing(join(packageFolder, "components/bootstrap/node.sh"));

function existing(path: string): string {
  if (!existsSync(path))
    throw new LabFailure(`the installation is not complete: ${path} is missing`, { next: "build the package again" });
  return path;
}

/** The Kubernetes binary: one program that is kubeadm, kubelet, kubectl, ... by the name it is called. */
export function kubernetesBinary(): string {
  const path = join(cacheFolder, "bin", "kube");
  if (!existsSync(path))
    throw new LabFailure(`there is no Kubernetes binary: ${path} is missing`, {
      next: "build it with 'make build', or set EBPF_DATAPLANE_CACHE to the folder that holds bin/kube",
    });
  return path;
}

/** What machines find their Kubernetes in: a folder for each release, made by `tools/`. */
export const releasesFolder = join(cacheFolder, "kubernetes");

/** @throws LabFailure (exit code 2) when machines could not install that release of Kubernetes. */
export function requireRelease(version: string): void {
  if (existsSync(join(releasesFolder, version, "kubeadm"))) return;
  const present = existsSync(releasesFolder) ? readdirSync(releasesFolder).sort() : [];
  throw new LabFailure(`Kubernetes ${version} is not on this computer; there is ${present.join(", ") || "none"}`, {
    next: present.length > 0 ? "set kubernetesVersion to one of them" : "build it with 'make build'",
    exitCode: 2,
  });
}

/** Arguments by which node runs the lab's own command line again. */
export function program(): string[] {
  const bundle = join(here, "lab.js");
  return [existsSync(bundle) ? bundle : join(here, "main.ts")];
}
