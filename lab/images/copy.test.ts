import { truncateSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import {
  archive,
  archiveFolder,
  blobs,
  chosen,
  type Files,
  foreign,
  here,
  image,
  layout,
  named,
  shop,
  top,
} from "./archive.fixture.ts";
import { openArchive, readAs } from "./archive.ts";
import { copyImages } from "./copy.ts";

const folder = archiveFolder();

test("of an image for several platforms the nodes' own is copied, and nothing else", async () => {
  const [ours, theirs] = [image(), image(foreign, "their layer")];
  const list = ours.add("application/vnd.oci.image.index.v1+json", {
    manifests: [
      { ...theirs.top, platform: foreign },
      { ...ours.top, platform: here },
      { ...theirs.top, platform: { os: "unknown", architecture: "unknown" } },
    ],
  });
  // As some programs save it, the other platform's content is missing.
  const path = await archive([...layout([{ ...list, ...named("shop:1") }], ours.blobs), ["index.html", "of nobody"]]);
  const copy = join(folder, "copy.tar");
  const digest = await copyImages(await chosen(path), copy);
  expect(await copyImages(await chosen(path), join(folder, "again.tar"))).toBe(digest);
  const written = await openArchive(copy);
  expect([...written.entries.keys()].sort()).toEqual(
    ["index.json", "oci-layout", ...[0, 1, 2].map((n) => ours.blobs[n]?.[0] as string)].sort(),
  );
  expect(await readAs(z.any(), written, "index.json")).toMatchObject({
    manifests: [{ digest: ours.top.digest, ...named("docker.io/library/shop:1") }],
  });
  expect((await chosen(copy)).names).toEqual(["docker.io/library/shop:1"]);
});

test("an archive with other content than it says gives no copy", async () => {
  const damaged = shop().map(([name, text]) => [name, text === "a layer" ? "a lawyer" : text]) as Files;
  const copying = copyImages(await chosen(await archive(damaged)), join(folder, "damaged.tar"));
  await expect(copying).rejects.toThrow(/is damaged: blobs\/sha256\/[0-9a-f]{64} has another digest/);
});

test("an archive that somebody shortens meanwhile gives no copy", async () => {
  const path = await archive(shop());
  const before = await chosen(path);
  truncateSync(path, 1900);
  await expect(copyImages(before, join(folder, "short.tar"))).rejects.toThrow(`${path} changed while it was read`);
});

test("a copy onto a full disk fails, and does not wait for ever", async () => {
  const path = await archive(layout([{ ...top, ...named("shop:1") }], blobs, [["large", "x".repeat(2 ** 20)]]));
  await expect(copyImages(await chosen(path), "/dev/full")).rejects.toMatchObject({ code: "ENOSPC" });
});
