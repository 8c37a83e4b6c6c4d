import { expect, it } from "vitest";
import { isControlPlanes, isNeededFirst } from "./images.ts";

const image = (...names: string[]) => ({ names, file: "/cache/x.tar", digest: "sha256:0" });
const controlPlane = image("registry.k8s.io/kube-apiserver:v1.35.0", "registry.k8s.io/etcd:3.6.6-0");
const pause = image("registry.k8s.io/pause:3.10.1");
const coredns = image("registry.k8s.io/coredns/coredns:v1.13.1");
const nginx = image("docker.io/library/nginx:latest");

it("isControlPlanes() holds for what no worker runs", () => {
  expect([controlPlane, pause, coredns, nginx].map(isControlPlanes)).toEqual([true, false, false, false]);
});

it("isNeededFirst() holds for what kubeadm asks for", () => {
  expect([controlPlane, pause, coredns, nginx].map(isNeededFirst)).toEqual([true, true, true, false]);
});
