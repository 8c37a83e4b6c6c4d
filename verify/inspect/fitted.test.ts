import { expect, test } from "vitest";
import { asTable } from "../../agent/observe/inspect/table.ts";
import { fitted } from "./fitted.ts";

const view = {
  columns: ["nodes", "service", "frontend", "backends", "flags", "clients"],
  rows: [
    [
      "all",
      "shop/web",
      "[fd00:10:96::9]:80/TCP",
      "pod/shop/web-6b4899dc4c-bmsvl:80 pod/shop/web-6b4899dc4c-x2x4x:80",
      "",
      "all",
    ],
    ["worker1", "shop/web", "any node:30604/TCP", "none: rejected", "", "172.31.0.0/16"],
  ],
  empty: "There are no services.",
};

test("a table that is too wide is as wide as the terminal, without empty columns, and loses nothing", () => {
  const lines = asTable(fitted(view, 80)).split("\n");
  expect(lines).toEqual([
    "NODES    SERVICE   FRONTEND                BACKENDS             CLIENTS",
    "all      shop/web  [fd00:10:96::9]:80/TCP  pod/shop/web-        all",
    "                                           6b4899dc4c-bmsvl:80",
    "                                           pod/shop/web-",
    "                                           6b4899dc4c-x2x4x:80",
    "worker1  shop/web  any node:30604/TCP      none: rejected       172.31.0.0/16",
  ]);
});

test.each([40, 60, 80, 100])("at %d columns no line is longer", (width) => {
  const lines = asTable(fitted(view, width)).split("\n");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
});

test("what fits, and what is no terminal's, stays as it is", () => {
  expect(fitted(view, 200)).toBe(view);
  expect(fitted(view, undefined)).toBe(view);
  expect(asTable(fitted({ ...view, rows: [] }, 10))).toBe("There are no services.");
});
