import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PAUSE } from "../../tools/versions.ts";
import { bootstrapFolder } from "../installation.ts";
import type { NodeState } from "./nodes.ts";
import { stepPod } from "./step.ts";

const node: NodeState = {
  name: "node",
  release: "v1.35.0",
  isControlPlane: false,
  isReady: true,
  isCordoned: false,
  isOurs: false,
  architecture: "amd64",
};
const podOn = (architecture: string) => stepPod("upgrade", { ...node, architecture }, "kubelet", "v1.35.1").spec;

test("a step runs in the pod sandbox image, which every node has", () => {
  const image = `registry.k8s.io/pause:${PAUSE}`;
  expect(podOn("amd64")?.containers[0]?.image).toBe(image);
  expect(readFileSync(join(bootstrapFolder, "node.sh"), "utf8")).toContain(`"\${PAUSE_IMAGE:=${image}}"`);
});

test("its pod is bound to the node and tolerates all taints", () => {
  expect(podOn("amd64")).toMatchObject({ nodeName: "node", hostPID: true, tolerations: [{ operator: "Exists" }] });
});

test("its programs are the node's, with the loader's folder of the architecture", () => {
  const folders = (architecture: string) => podOn(architecture)?.volumes?.map(({ hostPath }) => hostPath?.path);
  expect(folders("amd64")).toEqual(["/usr", "/lib", "/lib64"]);
  expect(folders("arm64")).toEqual(["/usr", "/lib"]);
});

test("its script is valid bash, and receives the step and the release", () => {
  const [script = "", ...words] = podOn("amd64")?.containers[0]?.command?.slice(-4) ?? [];
  execFileSync("bash", ["-n"], { input: script });
  expect(words).toEqual(["upgrade", "kubelet", "v1.35.1"]);
});
