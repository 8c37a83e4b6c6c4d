// The releases of Kubernetes that machines of a lab can be told to install: kubernetes/VERSION/{kubeadm,kubelet,kubectl,images/*.tar} in
// the cache, all of them links.
import { existsSync, globSync, mkdirSync, realpathSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { cacheFolder, publish } from "./cache.ts";

/** The names by which a machine calls the binary. */
const PROGRAMS = ["kubeadm", "kubelet", "kubectl"];

/** Makes a release be these files; a lab that has an earlier build of it finds this one when a program starts again. */
export function publishRelease(version: string, binary: string, archives: string[]): void {
  const folder = cacheFolder("kubernetes", version);
  const images = join(folder, "images");
  mkdirSync(images, { recursive: true });
  for (const archive of archives)
    publish(join(images, `${basename(archive).replace(/-[0-9a-f]{12}\.tar$/, "")}.tar`), archive);
  for (const program of PROGRAMS) publish(join(folder, program), binary);
  forget();
}

/** Files that releases consist of: no build removes them. */
export function released(): string[] {
  return globSync(join(cacheFolder("kubernetes"), "*", "{kubeadm,images/*.tar}"))
    .filter(existsSync)
    .map((link) => realpathSync(link));
}

/** A release whose files are gone is none. */
function forget(): void {
  for (const folder of globSync(join(cacheFolder("kubernetes"), "*"))) {
    if (!PROGRAMS.every((program) => existsSync(join(folder, program)))) rmSync(folder, { recursive: true });
  }
}
