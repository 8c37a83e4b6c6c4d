import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { LabFailure } from "../failure.ts";
import { buildWith as next, packageFolder } from "../installation.ts";
import { commandFailure } from "../machines/command.ts";
import { runIn } from "../machines/enter.ts";
import { machineFolder } from "../names.ts";
import { removeFrom } from "./node-images.ts";

const manifestFile = join(packageFolder, "dist", "images.json");

const manifestSchema = z.array(
  z.object({
    /** All names in the archive, as containerd writes them: docker.io/library/nginx:latest. */
    names: z.array(z.string()).min(1),
    /** Path of the OCI archive, below the cache folder, which machines can see. */
    file: z.string(),
    /** Changes whenever the archive's content does, in any format. */
    digest: z.string(),
  }),
);

export interface Image extends BuiltImage {
  /** The archive is a copy of the user's in the lab's folder; `make build` does not build it. */
  own?: true;
  /** Names in the archive that must not be loaded any more. */
  removed?: string[];
}

type BuiltImage = z.output<typeof manifestSchema>[number];

const controlPlaneNames = /\/(kube-apiserver|kube-controller-manager|kube-scheduler|etcd):/;

/** Images of the control plane's own pods, which are part of the Kubernetes release (components/bootstrap/packages.sh). */
const isControlPlanes = ({ names }: Image): boolean => names.every((name) => controlPlaneNames.test(name));

/** Images that kubeadm tries to pull before it starts, which is slow without a registry. Others, except for the control plane's, can be loaded
 * later. */
export const isNeededFirst = ({ names }: Image): boolean => names.some((name) => /\/(pause|coredns):/.test(name));

/** All images of the list. @throws LabFailure when there is none. */
export function builtImages(): BuiltImage[] {
  if (!existsSync(manifestFile))
    throw new LabFailure(`there are no images for a local cluster: ${manifestFile} is missing`, { next });
  const manifest = manifestSchema.safeParse(JSON.parse(readFileSync(manifestFile, "utf8")));
  if (!manifest.success) throw new LabFailure(`${manifestFile}: ${z.prettifyError(manifest.error)}`, { next });
  return manifest.data;
}

/** A large image that is needed only when a cluster runs kube-proxy. */
const belongsToKubeProxy = ({ names }: Image): boolean => names.every((name) => name.includes("/kube-proxy:"));

/**
 * The images to load on nodes: those that every cluster needs, and those with these names. Without names: all except
 * kube-proxy's, which depends on `kubeProxy`.
 * @throws LabFailure when one is missing.
 */
export function selectImages(names: string[], kubeProxy = false): Image[] {
  const built = builtImages();
  const missing = names.find((name) => !built.some((image) => image.names.includes(name)));
  if (missing) throw new LabFailure(`images: '${missing}' is not in ${manifestFile}`, { next, exitCode: 2 });
  const isChosen = (image: Image) => {
    if (belongsToKubeProxy(image) && kubeProxy) return true;
    return names.length === 0 ? !belongsToKubeProxy(image) : image.names.some((name) => names.includes(name));
  };
  return built.filter((image) => !isControlPlanes(image) && (isNeededFirst(image) || isChosen(image)));
}

const recordFile = (lab: string, machine: string): string => join(machineFolder(lab, machine), "images.json");

function loaded(lab: string, machine: string): Record<string, string> {
  const file = recordFile(lab, machine);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record<string, string>) : {};
}

/** The key of an image in a machine's record. An image of the user has its digest as key, because two of them may have the same name. */
const keyOf = ({ own, names, digest }: Image): string => (own ? digest : (names[0] as string));

/** The images that a machine lacks, or has with other content. */
export function staleImages(lab: string, machine: string, images: Image[]): Image[] {
  const record = loaded(lab, machine);
  return images.filter((image) => record[keyOf(image)] !== image.digest);
}

/** Loads missing images into a machine's containerd. */
export async function loadImages(lab: string, machine: string, images: Image[]): Promise<void> {
  for (const image of staleImages(lab, machine, images)) await importImage(lab, machine, image);
}

/** @throws LabFailure if the archive of an image is missing */
export function requireArchives(images: readonly Image[]): void {
  const image = images.find(({ file }) => !existsSync(file));
  if (!image) return;
  throw new LabFailure(`cannot load image ${image.names[0]}: its archive ${image.file} is missing`, {
    next: image.own ? "load it again with 'make lab-image'" : next,
  });
}

/** Loads an image into a machine's containerd, even if the machine has it already. */
export async function importImage(lab: string, machine: string, image: Image): Promise<void> {
  const name = image.names[0] as string;
  requireArchives([image]);
  // Machines cannot see the labs' folder.
  const command = ["ctr", "--namespace", "k8s.io", "images", "import", "-"];
  const result = await runIn(lab, machine, command, { inputFile: image.file, timeout: 600_000 });
  if (result.status !== 0) throw commandFailure(`load image ${name} on machine ${machine}`, command, result);
  if (image.removed) await removeFrom(lab, machine, image.removed);
  writeFileSync(recordFile(lab, machine), JSON.stringify({ ...loaded(lab, machine), [keyOf(image)]: image.digest }));
}
