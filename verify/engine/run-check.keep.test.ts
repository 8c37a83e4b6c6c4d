// Sockets that stay open over the steps of a check.
import { expect, test } from "vitest";
import { readChecks } from "../format/read.ts";
import { runCheck } from "./run-check.ts";
import { FakeWorld } from "./world.fixture.ts";

const KEPT = '{from: client1, to: "tcp://172.31.1.8:30604", sourcePort: 40001, keep: true, verdict: allowed}';
const POD =
  '{from: pod/default/web-0, to: "udp://service/default/nginx:80", sourcePort: 40001, keep: true, verdict: allowed}';
const NEW = '{from: client1, to: "tcp://172.31.1.8:30604", verdict: allowed}';

function checkOf(...steps: string[]) {
  const [check] = readChecks(`name: n\nsteps:\n${steps.map((step) => `  - expect: [${step}]\n`).join("")}`, "f");
  if (!check) throw new Error("no check");
  return check;
}

function answeringWorld() {
  const world = new FakeWorld();
  world.answer = () => ({ verdict: "allowed" });
  return world;
}

test("a socket has the same name in every step, and one prober holds it until the end", async () => {
  const world = answeringWorld();
  const { rows } = await runCheck(world, checkOf(`${KEPT}, ${NEW}`, KEPT));
  expect(rows.map(({ pass }) => pass)).toEqual([true, true, true]);
  expect(rows[0]?.expected).toBe("allowed, from port 40001, kept open");
  const kept = world.batches.flatMap(({ batch }) => batch).flatMap(({ keep }) => keep ?? []);
  // Every step is tried twice.
  expect(kept.map(({ step }) => step)).toEqual([1, 1, 2, 2]);
  expect(new Set(kept.map(({ socket }) => socket)).size).toBe(1);
  expect(world.journal).toEqual(["keep client1", "close client1"]);
  expect(world.order.filter((one) => one === "send client1")).toHaveLength(2); // of the new connections
});

test("an attempt continues the connection to a service whose address has changed, and each pod has its own", async () => {
  const world = answeringWorld();
  const { rows } = await runCheck(world, checkOf(POD));
  expect(rows[0]?.pass).toBe(true);
  const [probe] = world.batches[0]?.batch ?? [];
  expect(probe).toMatchObject({ host: "10.102.27.139", pod: "default/web-0:uid-of-web-0" });
  expect(probe?.keep?.socket).not.toContain("10.102.27.139");
  expect(world.journal).toEqual(["keep node/master", "close node/master"]);
});

test("when a prober is lost, its sockets are not opened again unnoticed", async () => {
  const world = answeringWorld();
  world.sendFailures = [new Error("machine client1: it was killed")];
  const { rows } = await runCheck(world, checkOf(KEPT, KEPT));
  expect(rows.map(({ pass }) => pass)).toEqual([false, false]);
  expect(rows[1]?.observed + String(rows[1]?.evidence)).toContain(
    "machine client1: it was killed; the sockets that were kept there are closed",
  );
  expect(world.journal).toEqual(["keep client1", "close client1"]);
});
