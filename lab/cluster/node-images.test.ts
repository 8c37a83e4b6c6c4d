import { expect, test } from "vitest";
import { parseImages, toRemove } from "./node-images.ts";

const TABLE = `REF                     TYPE                                       DIGEST     SIZE    PLATFORMS   LABELS
docker.io/team/own:1    application/vnd.oci.image.manifest.v1+json sha256:aa  2.9 MiB linux/amd64 io.cri-containerd.image=managed
docker.io/team/own:2    application/vnd.oci.image.manifest.v1+json sha256:aa  2.9 MiB linux/amd64 io.cri-containerd.image=managed
docker.io/library/nginx:latest application/vnd.oci.image.manifest.v1+json sha256:bb 9.6 MiB linux/amd64 -
sha256:11               application/vnd.oci.image.manifest.v1+json sha256:aa  2.9 MiB linux/amd64 io.cri-containerd.image=managed
sha256:22               application/vnd.oci.image.manifest.v1+json sha256:bb  9.6 MiB linux/amd64 io.cri-containerd.image=managed
`;
const present = parseImages(TABLE);
const [one, two] = ["docker.io/team/own:1", "docker.io/team/own:2"] as const;

test("containerd's list is read, also an empty one", () => {
  expect(present.slice(0, 3)).toEqual([
    { name: one, digest: "sha256:aa" },
    { name: two, digest: "sha256:aa" },
    { name: "docker.io/library/nginx:latest", digest: "sha256:bb" },
  ]);
  expect(parseImages("REF TYPE DIGEST SIZE PLATFORMS LABELS \n")).toEqual([]);
});

test("content goes with its last name, and what others use stays", () => {
  expect(toRemove(present, [two])).toEqual([two]);
  expect(toRemove(present, [one, two])).toEqual([one, two, "sha256:11"]);
  expect(
    toRemove(
      present.filter(({ name }) => name !== one),
      [two],
    ),
  ).toEqual([two, "sha256:11"]);
  // The sample's image under a name of the user's.
  const shop = { name: "docker.io/team/shop:1", digest: "sha256:bb" };
  expect(toRemove([...present, shop], [shop.name])).toEqual([shop.name]);
  expect(toRemove(present, ["docker.io/team/gone:1"])).toEqual([]);
});
