import { expect, test } from "vitest";
import { TableFill } from "./table-fill.ts";

const table = (name: string, entries: number) => ({ name, entries, capacity: 1000 });

test("a table that is nearly full is reported once, until it has room again", () => {
  const fill = new TableFill("worker");
  const reported = (entries: number) => fill.problems([table("proven", entries)]).length;
  expect([0, 899, 900, 1000, 850, 800, 799, 850].map(reported)).toEqual([0, 0, 1, 1, 1, 1, 0, 0]);
});

test("the sentence does not depend on the number of entries: another sentence is another Event", () => {
  const fill = new TableFill("worker");
  const said = [901, 950, 1000].map((entries) => fill.problems([table("slots", entries)])[0]?.message);
  expect(new Set(said)).toEqual(
    new Set([
      'the table "slots" (endpoints of Services and Maglev tables) is nearly full, of 1000 entries. When it is, entries that do not fit are ' +
        "reported and left out; existing ones keep working. Next: set bpfMapSizeNATBackend of FelixConfiguration to more.",
    ]),
  );
});

test("each table has its own state, and a problem of the node", () => {
  const fill = new TableFill("worker");
  const found = fill.problems([table("unproven", 950), table("half_open", 10), table("policies", 990)]);
  expect(found.map(({ kind, name }) => `${kind} ${name}`)).toEqual(["Node worker", "Node worker"]);
  expect(found.map(({ message }) => message.split(" ")[2])).toEqual(['"unproven"', '"policies"']);
});
