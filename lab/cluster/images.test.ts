import { expect, it } from "vitest";
import { isNeededFirst, loadImages } from "./images.ts";

const image = (...names: string[]) => ({ names, file: "/cache/x.tar", digest: "sha256:0" });
const pause = image("registry.k8s.io/pause:3.10.1");
const coredns = image("registry.k8s.io/coredns/coredns:v1.13.1");
const nginx = image("docker.io/library/nginx:latest");

it("isNeededFirst() is true for the images that kubeadm needs", () => {
  expect([pause, coredns, nginx].map(isNeededFirst)).toEqual([true, true, false]);
});

it("loadImages() names an archive that is missing, and what builds it", async () => {
  const loading = loadImages("absent", "master", [image("docker.io/library/x:1")]);
  await expect(loading).rejects.toMatchObject({
    message: expect.stringContaining("/cache/x.tar is missing"),
    next: expect.stringContaining("make build"),
  });
});
