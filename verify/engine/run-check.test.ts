import { describe, expect, it } from "vitest";
import { type Check, checkSchema } from "../../components/documents/check.ts";
import { ObjectRefused } from "./apply.ts";
import { runCheck, Stopped } from "./run-check.ts";
import { FakeWorld, pod, serviceAccountMissing } from "./world.fixture.ts";

const nodePort = "tcp://172.31.1.8:30604";

function check(expectation: object, rest: object = {}, step: object = {}): Check {
  return checkSchema.parse({
    name: "n",
    steps: [{ ...step, expect: [{ from: "client1", to: nodePort, verdict: "allowed", ...expectation }] }],
    ...rest,
  });
}

function object(kind: string, name: string) {
  return { apiVersion: "v1", kind, metadata: { name } };
}

/** Runs a check with one expectation. */
async function row(world: FakeWorld, expectation: object) {
  const { rows } = await runCheck(world, check(expectation));
  const [only] = rows;
  return only;
}

describe("objects of a check", () => {
  it("are applied in order, steps apply before they delete, and all is undone in reverse order", async () => {
    const world = new FakeWorld();
    const setup = [object("Namespace", "a"), object("Pod", "b")];
    await runCheck(
      world,
      check({ verdict: "dropped" }, { setup }, { apply: [object("Policy", "c")], delete: [object("Pod", "b")] }),
    );
    expect(world.journal).toEqual([
      "apply Namespace a",
      "apply Pod b",
      "apply Policy c",
      "delete Pod b",
      "delete Policy c",
      "delete Pod b",
      "delete Namespace a",
    ]);
    expect(world.objectsNow.size).toBe(0);
  });

  it("that were there before are put back as they were", async () => {
    const world = new FakeWorld();
    const mine = { ...object("Service", "mine"), spec: 1 };
    world.objectsNow.set("Service mine", mine);
    await runCheck(world, check({ verdict: "dropped" }, { setup: [{ ...object("Service", "mine"), spec: 2 }] }));
    expect(world.journal.at(-1)).toBe("restore Service mine");
    expect(world.objectsNow.get("Service mine")).toBe(mine);
  });

  it("that a killed run left behind are removed", async () => {
    const world = new FakeWorld();
    const left = {
      ...object("Pod", "a"),
      metadata: { name: "a", annotations: { "ebpf-dataplane.io/made-by-check": "true" } },
    };
    world.objectsNow.set("Pod a", left);
    await runCheck(world, check({ verdict: "dropped" }, { setup: [object("Pod", "a")] }));
    expect(world.objectsNow.size).toBe(0);
  });

  it("wait for a new namespace's service account", async () => {
    const world = new FakeWorld();
    world.refusals = [serviceAccountMissing, serviceAccountMissing];
    await runCheck(world, check({ verdict: "dropped" }, { setup: [object("Pod", "a")] }));
    expect(world.journal[0]).toBe("apply Pod a");
  });

  it("that are refused end the check with the object's name, and what was set up is removed", async () => {
    const world = new FakeWorld();
    const setup = [object("Namespace", "a"), object("Pod", "b")];
    const apply = world.objects.apply;
    world.objects.apply = async (one) => {
      if (one.kind === "Pod") throw new Error("spec.containers: Required value");
      await apply(one);
    };
    const { rows, problems, broken } = await runCheck(world, check({}, { setup }));
    expect(broken).toBeInstanceOf(ObjectRefused);
    expect(rows[0]?.observed).toBe("not probed: cannot apply Pod b: spec.containers: Required value");
    expect(problems[0]?.what).toContain('the check "n" did not complete: cannot apply Pod b');
    expect(world.journal).toEqual(["apply Namespace a", "delete Pod b", "delete Namespace a"]);
  });

  it("are removed when the user stops the run", async () => {
    const world = new FakeWorld();
    world.answer = () => {
      world.stopper.abort();
      return { verdict: "dropped" };
    };
    const { rows, broken } = await runCheck(world, check({}, { setup: [object("Pod", "a")] }));
    expect(broken).toBeInstanceOf(Stopped);
    expect(rows[0]).toMatchObject({ pass: false, observed: "not probed: stopped by the user" });
    expect(world.objectsNow.size).toBe(0);
  });
});

describe("patience", () => {
  it("tries until all hold, and then once more", async () => {
    const world = new FakeWorld();
    world.answer = () => (world.batches.length < 4 ? { verdict: "dropped" } : { verdict: "allowed" });
    expect(await row(world, {})).toMatchObject({ pass: true, expected: "allowed", observed: "allowed" });
    expect(world.batches).toHaveLength(5);
  });

  it("gives up when the time is over", async () => {
    const world = new FakeWorld();
    expect(await row(world, {})).toMatchObject({
      pass: false,
      observed: "dropped",
      evidence: ["dropped, not allowed"],
    });
    expect(world.clock.now()).toBeGreaterThanOrEqual(15_000);
    expect(world.clock.now()).toBeLessThan(16_000);
  });

  it("fails what held once and not twice", async () => {
    const world = new FakeWorld();
    world.answer = () => ({ verdict: world.batches.length === 1 ? "allowed" : "dropped" });
    const only = await row(world, {});
    expect(only).toMatchObject({ pass: false, observed: "dropped" });
    expect(only?.evidence?.[0]).toBe("it held at first (allowed), but not when tried again");
  });

  it("waits for what a check names and is not there yet, with the reason in the end", async () => {
    const world = new FakeWorld();
    world.cluster.pods.push(pod("slow", "node", undefined));
    expect((await row(world, { to: "tcp://pod/default/slow:80" }))?.observed).toBe(
      "not probed: pod default/slow has no address yet (Pending)",
    );
    expect((await row(world, { to: "tcp://pod/default/app=none:80" }))?.observed).toBe(
      "not probed: a pod default/app=none does not exist",
    );
    expect((await row(world, { to: "tcp://service/default/none:80" }))?.observed).toBe(
      "not probed: service default/none does not exist",
    );
    expect((await row(world, { from: "node/none" }))?.observed).toContain(
      "node none does not exist; nodes: master, node",
    );
    expect((await row(world, { source: "pod/default/none" }))?.observed).toContain("pod default/none does not exist");
    expect(world.batches.filter(({ batch }) => batch.length > 0 && batch[0]?.host !== "172.31.1.8")).toHaveLength(0);
  });

  it("knows a machine by either of its addresses", async () => {
    const world = new FakeWorld();
    world.machines = [{ name: "client1", address: "172.31.1.55", addressIpv6: "fd00::55" }];
    const seen = (source: string) => ({
      verdict: "allowed" as const,
      server: "default/nginx-1",
      source,
      sourcePort: 1,
    });
    world.answer = () => seen("fd00::55");
    expect(await row(world, { source: "client1" })).toMatchObject({ pass: true, observed: "allowed from fd00::55" });
    world.answer = () => seen("fd00::8");
    expect(await row(world, { source: "client1" })).toMatchObject({ pass: false });
  });

  it("finds a terminating pod by its name, as source and as destination, and not by its labels", async () => {
    const world = new FakeWorld();
    const leaving = pod("leaving", "node", "10.244.1.77", { app: "leaving" });
    world.cluster.pods.push({ ...leaving, metadata: { ...leaving.metadata, deletionTimestamp: new Date() } });
    expect((await row(world, { to: "tcp://pod/default/leaving:80" }))?.observed).not.toContain("does not exist");
    expect((await row(world, { from: "pod/default/leaving" }))?.observed).not.toContain("does not exist");
    expect((await row(world, { to: "tcp://pod/default/app=leaving:80" }))?.observed).toContain("does not exist");
  });

  it("shows a prober that cannot be reached as what every probe of it found", async () => {
    const world = new FakeWorld();
    const prepare = async () => Promise.reject(new Error("machine client1: gone"));
    world.machine = (name) => ({ ...new FakeWorld().machine(name), prepare });
    expect((await row(world, {}))?.observed).toBe("not probed: machine client1: gone");
  });
});
