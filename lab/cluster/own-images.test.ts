import { expect, test } from "vitest";
import type { Image } from "./images.ts";
import { nodesToLoad, withLatest } from "./own-images.ts";
import { CLOUD, type ClusterState } from "./state.ts";

const machines = [
  { name: "master", role: "control-plane", address: "172.31.1.8" },
  { name: "node", role: "worker", address: "172.31.1.207" },
  { name: "client1", role: "client", address: "172.31.1.55" },
];
const state = (kubernetesVersion = "v1.35.0") => ({ spec: { machines, kubernetesVersion } }) as ClusterState;

test("nodes are loaded, and no clients", () => {
  expect(nodesToLoad("local", state(), (name) => name !== "client1")).toEqual(["master", "node"]);
});

test.each<[string, ClusterState | undefined, string, string]>([
  ["local", undefined, "there is no lab local", "make up"],
  ["two", undefined, "there is no lab two", "EBPF_DATAPLANE_LAB=two make up"],
  ["two", state(), "lab two does not run: node is stopped", "boot it: EBPF_DATAPLANE_LAB=two make up"],
  ["aws", state(CLOUD), "lab aws is a part of AWS", "make up"],
])("lab %s cannot be loaded: %#", (lab, found, message, next) => {
  expect(() => nodesToLoad(lab, found, (name) => name === "master")).toThrow(
    expect.objectContaining({ message: expect.stringContaining(message), next: expect.stringContaining(next) }),
  );
});

test("an image is kept until others have all of its names; the latest comes last", () => {
  const image = (digest: string, ...names: string[]): Image => ({ names, digest, file: `${digest}.tar`, own: true });
  const digests = (...images: Image[]) => images.reduce(withLatest, []).map(({ digest }) => digest);
  expect(digests(image("1", "a"), image("2", "b"))).toEqual(["1", "2"]);
  expect(digests(image("1", "a"), image("2", "a"))).toEqual(["2"]);
  expect(digests(image("1", "a", "b"), image("2", "a"))).toEqual(["1", "2"]);
  expect(digests(image("1", "a", "b"), image("2", "a"), image("1", "a", "b"))).toEqual(["1"]);
  expect(digests(image("1", "a"), image("2", "b"), image("1", "a"))).toEqual(["2", "1"]);
});
