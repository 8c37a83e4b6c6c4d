import fc from "fast-check";
import { expect, test } from "vitest";
import type { Flow } from "../../agent/observe/events/flow.ts";
import { FlowOrder } from "./flow-order.ts";

const flow = (node: string, second: number): Flow => ({
  ...{ time: new Date(second * 1000).toISOString(), node, protocol: "TCP", verdict: "opened" },
  to: { address: "10.0.0.1", port: second },
});
const NODES = ["a", "b", "c"];

test("all of the past comes once, by time, before what happens now, in whichever order nodes tell it", () => {
  const node = fc.constantFrom(...NODES);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(node, fc.nat({ max: 1000 }))),
      fc.shuffledSubarray(NODES, { minLength: 3 }),
      (past, told) => {
        const got: number[] = [];
        const order = new FlowOrder(NODES, ({ to }) => got.push(to.port));
        for (const one of told) {
          for (const [name, second] of past) if (name === one) order.add(name, flow(name, second));
          order.told(one);
          order.add(one, flow(one, 5000));
        }
        expect(got).toEqual([...past.map(([, second]) => second).sort((x, y) => x - y), 5000, 5000, 5000]);
        expect(order.dropped).toBe(0);
      },
    ),
  );
});

test("without a past everything comes at once", () => {
  const got: Flow[] = [];
  const order = new FlowOrder([], (one) => got.push(one));
  order.add("a", flow("a", 1));
  expect(got).toHaveLength(1);
});

test("what happens now has the time at which it was heard, whatever its node's clock says, also while others tell of the past", () => {
  const got: [number, boolean][] = [];
  const before = performance.now();
  const order = new FlowOrder(["a", "b"], ({ to }, heard = -1) =>
    got.push([to.port, before <= heard && heard <= performance.now()]),
  );
  order.add("a", flow("a", 1));
  order.told("a");
  order.add("a", flow("a", 2));
  order.told("b");
  order.add("b", flow("b", 3));
  expect(got).toEqual([
    [1, false],
    [2, true],
    [3, true],
  ]);
});

test("of a past that is too long the latest is shown, and the rest counted", () => {
  const got: number[] = [];
  const order = new FlowOrder(["a"], ({ to }) => got.push(to.port), 10);
  for (let second = 0; second < 100; second++) order.add("a", flow("a", second));
  order.told("a");
  expect(got).toEqual([90, 91, 92, 93, 94, 95, 96, 97, 98, 99]);
  expect(order.dropped).toBe(90);
});
