import { expect, test } from "vitest";
import { z } from "zod";
import { faultsOf, inWords } from "./faults.ts";

const schema = z.strictObject({
  returnMode: z.enum(["dsr", "tunnel"]).default("dsr"),
  mtu: z.int().min(1280).max(9000).default(1500),
  name: z.string().min(1),
  uplinks: z.array(z.string()).min(1).optional(),
  nested: z.strictObject({ port: z.number() }).optional(),
  limit: z.number().gt(0).optional(),
  ready: z.boolean().optional(),
});

test.each<[string, object, string[]]>([
  [
    "a misspelt word",
    { returnMode: "tunel" },
    ['returnMode is "tunel", but must be "dsr" or "tunnel" (did you mean "tunnel"?)'],
  ],
  ["a wrong word", { returnMode: "direct" }, ['returnMode is "direct", but must be "dsr" or "tunnel"']],
  ["a wrong type", { mtu: "1500" }, ['mtu is "1500", but must be a number']],
  ["a list that is none", { uplinks: "eth0" }, ['uplinks is "eth0", but must be a list']],
  ["a flag that is none", { ready: "yes" }, ['ready is "yes", but must be true or false']],
  ["a fraction", { mtu: 1500.5 }, ["mtu is 1500.5, but must be a whole number"]],
  ["a number below its range", { mtu: 576 }, ["mtu is 576, but must be at least 1280"]],
  ["a number above its range", { mtu: 9001 }, ["mtu is 9001, but must be at most 9000"]],
  ["a number at an open end", { limit: 0 }, ["limit is 0, but must be more than 0"]],
  ["an empty text", { name: "" }, ['name is "", but must be a text of at least 1 character']],
  ["an empty list", { uplinks: [] }, ["uplinks is [], but must be a list of at least 1 item"]],
  ["a missing field", { name: undefined }, ["name is missing, but must be a text"]],
  ["a missing field below", { nested: {} }, ["nested.port is missing, but must be a number"]],
  [
    "an unknown field",
    { uplink: [] },
    [
      'the document: unknown key "uplink"; did you mean "uplinks"? (allowed: returnMode, mtu, name, uplinks, nested, limit, ready)',
    ],
  ],
  ["an unknown field below", { nested: { port: 1, other: 2 } }, ['nested: unknown key "other" (allowed: port)']],
])("%s", (_, change, words) => {
  expect(faultsOf(schema, { name: "a", ...change }).map(inWords)).toEqual(words);
});

test("a schema's own message is kept", () => {
  const ruled = z.object({ name: z.string({ error: "must be the name of a machine" }) });
  expect(faultsOf(ruled, { name: 1 }).map(inWords)).toEqual(["name is 1, but must be the name of a machine"]);
});
