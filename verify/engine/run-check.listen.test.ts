import { expect, test } from "vitest";
import { type Check, checkSchema } from "../../components/documents/check.ts";
import { runCheck } from "./run-check.ts";
import { FakeWorld } from "./world.fixture.ts";

const listen = [
  { at: "client1", tcp: "8080", udp: "8080,8081" },
  { at: "node/master", tcp: 9000 },
];

function check(): Check {
  const expectation = { from: "client2", to: "tcp://172.31.1.55:8080", verdict: "dropped" };
  const setup = [{ apiVersion: "v1", kind: "Namespace", metadata: { name: "a" } }];
  return checkSchema.parse({ name: "n", listen, setup, steps: [{ expect: [expectation] }] });
}

test("probe servers run from before the first object until the last probe", async () => {
  const world = new FakeWorld();
  const { rows, problems } = await runCheck(world, check());
  expect(rows).toMatchObject([{ pass: true }]);
  expect(problems).toEqual([]);
  expect(world.journal).toEqual([
    "listen client1 tcp 8080 udp 8080,8081 as machine/client1",
    "listen node/master tcp 9000 udp  as node/master",
    "apply Namespace a",
    "stop machine/client1",
    "stop node/master",
    "delete Namespace a",
  ]);
});

test("if one does not start, the others end, nothing is applied, and every row says why", async () => {
  const world = new FakeWorld();
  world.refusals = [new Error("the probe server on machine client1 does not start: listen EADDRINUSE: port 8080")];
  const { rows, problems } = await runCheck(world, check());
  expect(world.journal).toEqual(["listen node/master tcp 9000 udp  as node/master", "stop node/master"]);
  expect(rows).toMatchObject([{ pass: false, observed: expect.stringContaining("EADDRINUSE: port 8080") }]);
  expect(problems[0]?.what).toContain("the probe server on machine client1 does not start");
});

test("one that ended by itself is a problem of the result", async () => {
  const world = new FakeWorld();
  world.serversDied = "the probe server on machine client1 ended during the check: killed";
  const { problems } = await runCheck(world, check());
  expect(problems[0]?.what).toBe(world.serversDied);
});
