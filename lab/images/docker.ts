// What `docker save` writes, before version 25 without an OCI image layout in it, and `podman save` and `skopeo copy` as docker-archive.
//   https://github.com/moby/docker-image-spec/blob/main/spec.md
import { posix } from "node:path";
import { z } from "zod";
import { type Archive, placeOf, readAs } from "./archive.ts";
import { type ArchivedImage, type Format, isFor, type Platform, refuseForeign } from "./format.ts";

const file = z.string().min(1).max(1000);

const entry = z.object({
  Config: file,
  RepoTags: z.array(z.string()).max(100).nullish(),
  Layers: z.array(file).max(1000).nullish(),
});
type Entry = z.output<typeof entry>;

const list = z.array(entry).max(100);
const config = z.object({ os: z.string().default("linux"), architecture: z.string() });

export const docker: Format<Entry> = {
  async read(archive, wanted) {
    const images = await readAs(list, archive, "manifest.json");
    return Promise.all(images.map((image) => imageOf(archive, image, wanted)));
  },
  describe: (images) => ({
    "manifest.json": images.map(({ names, entry: { Config, Layers } }) => ({ Config, RepoTags: names, Layers })),
  }),
};

async function imageOf(archive: Archive, given: Entry, wanted: Platform): Promise<ArchivedImage<Entry>> {
  const Config = posix.normalize(given.Config);
  const Layers = (given.Layers ?? []).map((layer) => posix.normalize(layer));
  const platform = await readAs(config, archive, Config);
  if (!isFor(wanted, platform)) refuseForeign(archive.path, wanted, [platform]);
  const files = [Config, ...Layers];
  for (const file of files) placeOf(archive, file);
  return { names: given.RepoTags ?? [], id: Config, files, entry: { Config, Layers } };
}
