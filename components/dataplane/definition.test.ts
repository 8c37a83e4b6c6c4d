import { expect, test } from "vitest";
import { recordResources, settled } from "../testing/program.ts";
import { Dataplane } from "./component.ts";

/** The paths of empty lists in a value. */
function emptyLists(value: unknown, path = ""): string[] {
  if (Array.isArray(value) && value.length === 0) return [path];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => emptyLists(part, `${path}.${key}`));
}

test("no definition declares an empty list: the API server stores none, so every preview would show a change", async () => {
  const resources = await recordResources();
  new Dataplane("dp", { apiServer: { host: "172.31.1.8", port: 6443 } });
  await settled();
  const definitions = resources.filter(({ type }) => type.endsWith(":CustomResourceDefinition"));
  expect(definitions.length).toBeGreaterThan(15);
  expect(definitions.flatMap(({ name, inputs }) => emptyLists(inputs, name))).toEqual([]);
});
