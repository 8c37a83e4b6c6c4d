import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { LabFailure } from "../failure.ts";
import { cacheFolder } from "../installation.ts";
import { runIn } from "../machines/enter.ts";
import { machineFolder } from "../names.ts";

const manifestFile = join(cacheFolder, "images.json");

const manifestSchema = z.array(
  z.strictObject({
    /** All names in the archive, as containerd writes them: docker.io/library/nginx:latest. */
    names: z.array(z.string()).min(1),
    /** OCI archive, relative to the manifest's folder. */
    file: z.string(),
    /** Changes whenever the archive's content does; the form does not matter. */
    digest: z.string(),
  }),
);

export type Image = z.output<typeof manifestSchema>[number];

/** The images to load on nodes: those of these names, or all when no name is given. @throws LabFailure when one is missing. */
export function selectImages(names: string[]): Image[] {
  const next = "build the images with 'make build', or set EBPF_DATAPLANE_CACHE to the folder that holds images.json";
  if (!existsSync(manifestFile)) throw new LabFailure(`there are no images: ${manifestFile} is missing`, { next });
  const manifest = manifestSchema.safeParse(JSON.parse(readFileSync(manifestFile, "utf8")));
  if (!manifest.success) throw new LabFailure(`${manifestFile}: ${z.prettifyError(manifest.error)}`, { next });
  const missing = names.find((name) => !manifest.data.some((image) => image.names.includes(name)));
  if (missing) throw new LabFailure(`images: '${missing}' is not in ${manifestFile}`, { next, exitCode: 2 });
  return manifest.data.filter((image) => names.length === 0 || image.names.some((name) => names.includes(name)));
}

/** Images without which kubeadm does not begin; the others may follow while it works. */
export function isForControlPlane({ names }: Image): boolean {
  return names.some((name) => /\/(kube-apiserver|etcd|pause):/.test(name));
}

const recordFile = (lab: string, machine: string): string => join(machineFolder(lab, machine), "images.json");

function loaded(lab: string, machine: string): Record<string, string> {
  const file = recordFile(lab, machine);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record<string, string>) : {};
}

/** Those of these images that a machine does not have, or has with other content. */
export function staleImages(lab: string, machine: string, images: Image[]): Image[] {
  const record = loaded(lab, machine);
  return images.filter(({ file, digest }) => record[file] !== digest);
}

/** Loads into a machine's containerd what it does not have yet. */
export async function loadImages(lab: string, machine: string, images: Image[]): Promise<void> {
  for (const { file, digest, names } of staleImages(lab, machine, images)) {
    const path = resolve(cacheFolder, file);
    const result = await runIn(lab, machine, ["ctr", "--namespace", "k8s.io", "images", "import", path], {
      timeout: 180_000,
    });
    if (result.status !== 0)
      throw new LabFailure(
        `cannot load image ${names[0]} on machine ${machine} from ${path}:\n  ${result.stderr.trim()}`,
      );
    writeFileSync(recordFile(lab, machine), JSON.stringify({ ...loaded(lab, machine), [file]: digest }));
  }
}
