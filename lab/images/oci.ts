// An OCI image layout in a tar: `docker save` since version 25, `docker buildx build --output type=oci`, podman and skopeo write it.
//   https://github.com/opencontainers/image-spec/blob/main/image-layout.md
import { z } from "zod";
import { type Archive, placeOf, readAs, refusal } from "./archive.ts";
import { type ArchivedImage, type Format, isFor, type Platform, refuseForeign } from "./format.ts";
import { fullName } from "./reference.ts";

const digest = z.string().regex(/^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/);
const platform = z.object({ os: z.string(), architecture: z.string() });

const descriptor = z.object({
  mediaType: z.string(),
  digest,
  size: z.number().int().nonnegative(),
  platform: platform.nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
});
type Descriptor = z.output<typeof descriptor>;

const index = z.object({ manifests: z.array(descriptor).max(100) });
const manifest = z.object({ config: z.object({ digest }), layers: z.array(z.object({ digest })).max(1000) });

const INDEX = /^application\/vnd\.(oci\.image\.index\.v1|docker\.distribution\.manifest\.list\.v2)\+json$/;
/** A list of an image's platforms contains no further lists. */
const DEEPEST = 2;
/** Of one image. Each costs two documents to read, and lists in a list would multiply. */
const MOST_PLATFORMS = 100;

const blob = (digest: string): string => `blobs/${digest.replace(":", "/")}`;

export const oci: Format<Descriptor> = {
  async read(archive, wanted) {
    const { manifests } = await readAs(index, archive, "index.json");
    return Promise.all(manifests.map((top) => imageOf(archive, top, wanted)));
  },
  describe: (images) => ({
    "oci-layout": { imageLayoutVersion: "1.0.0" },
    "index.json": {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      // containerd uses this annotation as the name of an imported image.
      manifests: images.flatMap(({ names, entry: { mediaType, digest, size } }) =>
        names.map((name) => ({ mediaType, digest, size, annotations: { "io.containerd.image.name": name } })),
      ),
    },
  }),
};

async function imageOf(archive: Archive, top: Descriptor, wanted: Platform): Promise<ArchivedImage<Descriptor>> {
  const found = await manifestsOf(archive, top, DEEPEST);
  const fit = found.find(({ platform }) => isFor(wanted, platform));
  if (!fit)
    return refuseForeign(
      archive.path,
      wanted,
      found.map(({ platform }) => platform),
    );
  const { config, layers } = await readAs(manifest, archive, blob(fit.entry.digest));
  const files = [fit.entry, config, ...layers].map(({ digest }) => blob(digest));
  for (const file of files) placeOf(archive, file);
  return { names: namesOf(top), id: fit.entry.digest, files, entry: fit.entry };
}

interface ForPlatform {
  platform: Platform;
  entry: Descriptor;
}

/** An image's manifests, one for each platform. Those of other platforms may be missing. */
async function manifestsOf(archive: Archive, entry: Descriptor, depth: number): Promise<ForPlatform[]> {
  if (INDEX.test(entry.mediaType)) {
    if (depth === 0) throw refusal(`${archive.path} is no image archive: its lists of images are nested too deeply`);
    const { manifests } = await readAs(index, archive, blob(entry.digest));
    const found: ForPlatform[] = [];
    for (const one of manifests) {
      found.push(...(await manifestsOf(archive, one, depth - 1)));
      if (found.length > MOST_PLATFORMS)
        throw refusal(`${archive.path} is no image archive: it has an image for more than ${MOST_PLATFORMS} platforms`);
    }
    return found;
  }
  if (entry.platform) return [{ platform: entry.platform, entry }];
  const { config } = await readAs(manifest, archive, blob(entry.digest));
  return [{ platform: await readAs(platform, archive, blob(config.digest)), entry }];
}

/** The name for containerd, or the tag, which some programs make a whole name. */
function namesOf({ annotations }: Descriptor): string[] {
  const name = annotations?.["io.containerd.image.name"];
  if (name) return [name];
  const tag = annotations?.["org.opencontainers.image.ref.name"];
  return tag && fullName(tag) ? [tag] : [];
}
