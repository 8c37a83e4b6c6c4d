import { expect, test } from "vitest";
import { argumentsOf } from "../refusal/refusal.ts";
import { requireWay } from "./published-release.ts";

const place = argumentsOf("AwsCluster", "c");
const join = "abcdef.0123456789abcdef sha256:00 v1.35.1\n";

test("what the control plane runs can stay, and become the next", () => {
  for (const release of ["v1.35.1", "v1.36.0"]) expect(() => requireWay(place, join, release)).not.toThrow();
});

test("there is no way back, and none over two minor versions", () => {
  expect(() => requireWay(place, join, "v1.35.0")).toThrow('AwsCluster "c": the control plane runs Kubernetes v1.35.1');
  expect(() => requireWay(place, join, "v1.37.0")).toThrow("set kubernetesVersion to a release of v1.36 first");
});

test("before anything is published everything is possible", () => {
  expect(() => requireWay(place, "not yet written", "v1.35.0")).not.toThrow();
});
