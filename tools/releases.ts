// The releases of Kubernetes that machines of a lab can install: kubernetes/VERSION/{kubeadm,kubelet,kubectl,images/*.tar} in
// the cache, all as links.
import { existsSync, globSync, mkdirSync, realpathSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { cacheFolder, publish } from "./cache.ts";

/** The names of the binary on a machine. */
const PROGRAMS = ["kubeadm", "kubelet", "kubectl"];

/** Points a release at these files. A lab with an earlier build uses the new one when a program restarts. */
export function publishRelease(version: string, binary: string, archives: string[]): void {
  const folder = cacheFolder("kubernetes", version);
  const images = join(folder, "images");
  mkdirSync(images, { recursive: true });
  for (const archive of archives)
    publish(join(images, `${basename(archive).replace(/-[0-9a-f]{12}\.tar$/, "")}.tar`), archive);
  for (const program of PROGRAMS) publish(join(folder, program), binary);
  forget();
}

/** The files of releases, which no build removes. */
export function released(): string[] {
  return globSync(join(cacheFolder("kubernetes"), "*", "{kubeadm,images/*.tar}"))
    .filter(existsSync)
    .map((link) => realpathSync(link));
}

/** A release whose files are missing is not listed. */
function forget(): void {
  for (const folder of globSync(join(cacheFolder("kubernetes"), "*"))) {
    if (!PROGRAMS.every((program) => existsSync(join(folder, program)))) rmSync(folder, { recursive: true });
  }
}
