import fc from "fast-check";
import { expect, test } from "vitest";
import { resourceNames } from "./object-name.ts";

const namesOf = (...objects: { name: string; namespace?: string }[]) =>
  resourceNames("dp", objects).map(({ name }) => name);

test("names stay as they were where they are clear", () => {
  expect(namesOf({ name: "all" }, { namespace: "default", name: "web-1" })).toEqual(["dp-all", "dp-default-web-1"]);
  expect(resourceNames("dp", [{ namespace: "default", name: "web" }])[0]?.aliases).toEqual([]);
});

test("a name that changed has its former one as an alias, unless another object has that now", () => {
  const [one] = resourceNames("dp", [{ namespace: "kube-system", name: "dns" }]);
  expect(one).toEqual({ name: "dp-kube-system/dns", aliases: [{ name: "dp-kube-system-dns" }] });
  expect(
    resourceNames("dp", [
      { namespace: "a", name: "b-c" },
      { namespace: "a-b", name: "c" },
    ]),
  ).toEqual([
    { name: "dp-a-b-c", aliases: [] },
    { name: "dp-a-b/c", aliases: [] },
  ]);
});

test("no two objects have one name", () => {
  const label = fc.stringMatching(/^[ab](-?[ab]){0,3}$/);
  const dotted = fc.stringMatching(/^[ab]([-.]?[ab]){0,3}$/);
  const object = fc.record({ namespace: label, name: dotted });
  fc.assert(
    fc.property(fc.uniqueArray(object, { selector: ({ namespace, name }) => `${namespace}/${name}` }), (objects) => {
      expect(new Set(namesOf(...objects)).size).toBe(objects.length);
    }),
  );
});
