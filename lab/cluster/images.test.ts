import { expect, it } from "vitest";
import { isNeededFirst } from "./images.ts";

const image = (...names: string[]) => ({ names, file: "/cache/x.tar", digest: "sha256:0" });
const pause = image("registry.k8s.io/pause:3.10.1");
const coredns = image("registry.k8s.io/coredns/coredns:v1.13.1");
const nginx = image("docker.io/library/nginx:latest");

it("isNeededFirst() is true for the images that kubeadm needs", () => {
  expect([pause, coredns, nginx].map(isNeededFirst)).toEqual([true, true, false]);
});
