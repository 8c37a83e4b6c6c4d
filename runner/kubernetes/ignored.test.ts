import { expect, test } from "vitest";
import type { ApiObject } from "../../kubernetes/object.ts";
import { withPresent } from "./ignored.ts";

const base = { apiVersion: "v1", kind: "X" };
const keeping = (live: object, path: string) => withPresent(wanted as ApiObject, live as ApiObject, [path]);
const wanted = {
  ...base,
  metadata: { annotations: { "a.example/x": "ours" } },
  spec: { replicas: 1, containers: [{ image: "a:1" }, { image: "b:1" }] },
};
const live = {
  ...base,
  metadata: { annotations: { "a.example/x": "theirs", other: "o" }, labels: { team: "net" } },
  spec: { replicas: 5, containers: [{ image: "a:2" }] },
};

test.each<[string, object]>([
  ["spec.replicas", { ...wanted, spec: { ...wanted.spec, replicas: 5 } }],
  ['metadata.annotations["a.example/x"]', { ...wanted, metadata: { annotations: { "a.example/x": "theirs" } } }],
  ["metadata.annotations.absent", wanted],
  ["metadata.labels.team", { ...wanted, metadata: { ...wanted.metadata, labels: { team: "net" } } }],
  [
    "spec.containers[0].image",
    { ...wanted, spec: { ...wanted.spec, containers: [{ image: "a:2" }, { image: "b:1" }] } },
  ],
  ["spec.containers[*].image", { ...wanted, spec: { ...wanted.spec, containers: [{ image: "a:2" }, {}] } }],
  ["spec", { ...wanted, spec: live.spec }],
])("%s stays as the cluster has it", (path, expected) => {
  expect(keeping(live, path)).toEqual(expected);
});

test("a value that the cluster does not have is not set", () => {
  expect(keeping({ ...live, spec: {} }, "spec.replicas").spec).toEqual({ containers: wanted.spec.containers });
});

test.each(["spec..replicas", "spec[", "[x]", 'a["b'])("%s is no path", (path) => {
  expect(() => keeping(live, path)).toThrow("is no path of a property");
});
