import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import {
  archive,
  archiveFolder,
  blobs,
  chosen,
  type Files,
  foreign,
  here,
  image,
  LAYOUT,
  layout,
  named,
  REF,
  shop,
  top,
} from "./archive.fixture.ts";

const folder = archiveFolder();

test.each([
  ["containerd's name", shop("docker.io/library/shop:1"), "docker.io/library/shop:1"],
  ["a short name", shop("shop:1"), "docker.io/library/shop:1"],
  ["podman's name", shop("localhost/shop:1", REF), "localhost/shop:1"],
  [
    "names in a tar that was made of a folder",
    shop().map(([name, text]) => [`./${name}`, text]) as Files,
    "docker.io/library/shop:1",
  ],
])("an OCI image layout with %s is read", async (_what, files, name) => {
  expect((await chosen(await archive(files))).names).toEqual([name]);
});

test("a docker-archive is read, also where two images share a layer by a link", async () => {
  const path = await archive([
    ["aa/layer.tar", "a layer"],
    ["bb/layer.tar", "", { type: "symlink", linkname: "../aa/layer.tar" }],
    ["c.json", here],
    [
      "manifest.json",
      [{ Config: "c.json", RepoTags: ["shop:1", "team/shop:2"], Layers: ["aa/layer.tar", "bb/layer.tar"] }],
    ],
  ]);
  const { names, files, archive: read } = await chosen(path);
  expect(names).toEqual(["docker.io/library/shop:1", "docker.io/team/shop:2"]);
  expect(files).toEqual(["c.json", "aa/layer.tar", "bb/layer.tar"]);
  expect(read.entries.get("bb/layer.tar")).toEqual(read.entries.get("aa/layer.tar"));
});

test("a tag is the name of the only image, whatever that is called", async () => {
  for (const files of [shop("latest", REF), shop("nginx:latest"), layout([top], blobs)])
    expect((await chosen(await archive(files), "team/shop:1")).names).toEqual(["docker.io/team/shop:1"]);
});

test("a name that the archive hides from its reader is not in the copy", async () => {
  const text = JSON.stringify({ manifests: [{ ...top, ...named("shop:1") }] });
  // Go's JSON knows no difference between these keys, and takes the last one.
  const path = await archive([
    LAYOUT,
    [
      "index.json",
      text.replace("]}", `],"Manifests":[${JSON.stringify({ ...top, ...named("ebpf-dataplane:local") })}]}`),
    ],
    ...blobs,
  ]);
  const { documents } = await chosen(path);
  expect(JSON.stringify(documents)).not.toContain("ebpf-dataplane");
  expect(JSON.stringify(documents)).toContain("docker.io/library/shop:1");
});

const other = image(here, "another layer");
const both = layout(
  [
    { ...top, ...named("a:1") },
    { ...other.top, ...named("b:1") },
  ],
  blobs,
  other.blobs,
);
const away = image(foreign);
const nested = image();
const one = nested.add("application/vnd.oci.image.index.v1+json", { manifests: [nested.top] });
const two = nested.add("application/vnd.oci.image.index.v1+json", { manifests: [one] });
const three = nested.add("application/vnd.oci.image.index.v1+json", { manifests: [two] });
/** Two lists of 60 platforms each, in one. */
const sixty = Array.from({ length: 60 }, () => ({ ...nested.top, platform: foreign }));
const many = nested.add("application/vnd.oci.image.index.v1+json", {
  manifests: ["a", "b"].map((name) =>
    nested.add("application/vnd.oci.image.index.v1+json", { manifests: sixty, annotations: { name } }),
  ),
});
const docker = (entry: object): Files => [
  ["c.json", here],
  ["manifest.json", [{ Config: "c.json", RepoTags: ["shop:1"], Layers: [], ...entry }]],
];

test.each<[string, Files, string | undefined, string]>([
  ["without a list of images", [["readme.txt", "hello"]], undefined, "it has neither oci-layout nor manifest.json"],
  ["without a file", [], undefined, "it has neither oci-layout nor manifest.json"],
  ["whose list is no JSON", [LAYOUT, ["index.json", "{"]], undefined, "is no image archive: index.json"],
  ["whose list has another form", [LAYOUT, ["index.json", { manifests: "x" }]], undefined, "index.json › manifests"],
  ["whose list is missing", [LAYOUT], undefined, "is incomplete: it has no index.json"],
  [
    "whose list is too large",
    [LAYOUT, ["index.json", " ".repeat(5 * 2 ** 20)]],
    undefined,
    "5242880 bytes, more than 4194304",
  ],
  ["that has two lists", [...shop(), ["./index.json", {}]], undefined, "has two files 'index.json'"],
  [
    "with more files than images have",
    Array.from({ length: 10_001 }, (_, n) => [`${n}`, ""]),
    undefined,
    "more than 10000 files",
  ],
  ["without an image", layout([]), undefined, "has no image"],
  ["whose image has no name", layout([top], blobs), undefined, "an image without a name and tag"],
  ["whose image has a tag alone", shop("latest", REF), undefined, "an image without a name and tag"],
  [
    "whose image has no name, as docker writes it",
    docker({ RepoTags: null }),
    undefined,
    "an image without a name and tag",
  ],
  ["whose image has no tag", shop("shop"), undefined, "'shop', which is no name with a tag"],
  [
    "whose image has a name that none can have",
    shop("Shop\u001b[2J:1"),
    undefined,
    "'Shop\ufffd[2J:1', which is no name",
  ],
  [
    "of another processor",
    layout([{ ...away.top, ...named("shop:1") }], away.blobs),
    undefined,
    `for linux/${foreign.architecture}, but the lab's nodes are linux/${here.architecture}`,
  ],
  ["of another system", [...docker({}).slice(1), ["c.json", { ...here, os: "windows" }]], undefined, "for windows/"],
  [
    "with the name of a lab's own image",
    shop("nginx:latest"),
    undefined,
    "'nginx:latest', which is the name of one of the lab's own",
  ],
  [
    "with another release of a lab's own image",
    shop("index.docker.io/library/ebpf-dataplane:9"),
    undefined,
    "'ebpf-dataplane:9', which is the name of",
  ],
  ["that gets the name of a lab's own image", shop(), "ebpf-dataplane:2", "'ebpf-dataplane:2', which is the name of"],
  ["that gets a name without a tag", shop(), "team/shop", "the tag is 'team/shop', but must be a name with a tag"],
  ["of two images that get one name", both, "shop:1", "has 2 images, and --tag is the name of one"],
  [
    "without one of its layers",
    shop().slice(0, 2).concat(blobs.slice(1)),
    undefined,
    "is incomplete: it has no blobs/sha256/",
  ],
  [
    "that points out of itself",
    docker({ Layers: ["../../../../etc/shadow"] }),
    undefined,
    "it has no ../../../../etc/shadow",
  ],
  [
    "that links out of itself",
    [...docker({ Layers: ["l"] }), ["l", "", { type: "symlink", linkname: "/etc/shadow" }]],
    undefined,
    "is incomplete: it has no l",
  ],
  [
    "whose digests are paths",
    layout([{ ...top, digest: "sha256:../../x", ...named("shop:1") }]),
    undefined,
    "index.json › manifests › 0 › digest",
  ],
  [
    "with many platforms in lists of a list",
    layout([{ ...many, ...named("shop:1") }], nested.blobs),
    undefined,
    "for more than 100 platforms",
  ],
  ["with lists in lists", layout([{ ...three, ...named("shop:1") }], nested.blobs), undefined, "nested too deeply"],
])("an archive %s is refused", async (_what, files, tag, message) => {
  await expect(chosen(await archive(files), tag)).rejects.toMatchObject({
    name: "LabFailure",
    exitCode: 2,
    message: expect.stringContaining(message),
    next: expect.stringMatching(/./),
  });
});

test("a file that is no archive is refused, with what to do", async () => {
  const refusalOf = (path: string) =>
    chosen(path).then(String, ({ message, next }: Error & { next: string }) => `${message}; ${next}`);
  const at = (name: string, content: string | Buffer) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  mkdirSync(join(folder, "layout"));
  const whole = await archive(shop());
  truncateSync(whole, 1900);
  expect(await refusalOf(join(folder, "absent"))).toMatch(/there is no file .*absent; make one with/);
  expect(await refusalOf(join(folder, "layout"))).toMatch(/is a folder, not an image archive; tar -C/);
  expect(await refusalOf("/dev/zero")).toMatch(/\/dev\/zero is no image archive: it is no file/);
  expect(await refusalOf(at("text", "hello\n".repeat(1000)))).toMatch(/is no image archive: it is no tar/);
  expect(await refusalOf(at("packed", gzipSync("x")))).toMatch(/is compressed; unpack it first: gunzip --keep/);
  expect(await refusalOf(whole)).toMatch(/is no image archive: it is cut off/);
});
