import { expect, test } from "vitest";
import type { Image } from "./images.ts";
import { byName, imagesInWords, type ListedImage } from "./listed-images.ts";
import { namedImages, withoutNames } from "./remove-images.ts";

const image = (digest: string, ...names: string[]): Image => ({
  names: names.map((name) => `docker.io/team/${name}`),
  ...{ digest, file: `${digest}.tar`, own: true },
});
const images = [image("1", "shop:1", "shop:2"), image("2", "api:1"), image("3", "shop:2")];

test("a name stands in the list once, with the archive that it comes from", () => {
  expect(byName(images).map(([name, { digest }]) => [name, digest])).toEqual([
    ["docker.io/team/api:1", "2"],
    ["docker.io/team/shop:1", "1"],
    ["docker.io/team/shop:2", "3"],
  ]);
});

test("what is removed comes neither from the latest archive that has it nor from earlier ones", () => {
  expect(withoutNames(images, ["docker.io/team/shop:2"])).toEqual([
    { ...image("1", "shop:1"), removed: ["docker.io/team/shop:2"] },
    image("2", "api:1"),
  ]);
  const [first] = withoutNames(images, ["docker.io/team/shop:2"]);
  expect(withoutNames([first as Image], ["docker.io/team/shop:1"])).toEqual([]);
});

test("images are named as pods do", () => {
  expect(namedImages("local", images, ["team/shop:1", "docker.io/team/api:1"])).toEqual([
    "docker.io/team/shop:1",
    "docker.io/team/api:1",
  ]);
});

test.each([
  ["team/shp:1", "has no image 'team/shp:1' of yours; did you mean \"team/shop:1\"?"],
  ["team/shop", "has no image 'team/shop' of yours"],
  ["nginx:latest", "(yours: team/api:1, team/shop:1, team/shop:2)"],
  ["\u001b[2J", "'\ufffd[2J'"],
])("%j is none of them", (text, said) => {
  expect(() => namedImages("local", images, [text])).toThrow(
    expect.objectContaining({ message: expect.stringContaining(said), exitCode: 2 }),
  );
});

test("the list says where images are, and how one is removed or given back", () => {
  const at = (listed: Partial<ListedImage>): ListedImage => ({
    ...{ image: "team/api:1", bytes: 3 * 2 ** 20, digest: "2", nodes: [], missing: [], stopped: [] },
    ...listed,
  });
  expect(imagesInWords("local", [])).toContain("'make lab-image IMAGE=shop.tar' loads some");
  const all = [at({ nodes: ["master", "node"] }), at({ image: "team/shop:12", missing: ["node"], stopped: ["third"] })];
  expect(imagesInWords("two", all)).toBe(
    [
      "Your images of lab two:",
      "  team/api:1        3.0 MiB  on master, node",
      "  team/shop:12      3.0 MiB  MISSING on node; third is stopped",
      "A node without its image is given it by 'EBPF_DATAPLANE_LAB=two make lab-image' again.",
      "Remove one: EBPF_DATAPLANE_LAB=two make lab-images REMOVE=team/api:1",
      "",
    ].join("\n"),
  );
});
