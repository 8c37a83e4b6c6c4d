import { expect, it } from "vitest";
import { FakeWorld } from "../../verify/engine/world.fixture.ts";
import { witness } from "./witness.ts";

it("counts the server's log lines of its own probes, and no others", async () => {
  const world = new FakeWorld();
  const line = (source: string, token: string) => `${source} - "GET / HTTP/1.1" 200 "ebpf-dataplane-probe/${token}"`;
  world.answer = (_, { id, count }) => {
    for (let attempt = 1; attempt <= count; attempt++) world.logLines.push(line("fd00::55", `${id}.${attempt}`));
    return { verdict: "allowed" };
  };
  // Of a mode before, which ended less than five seconds ago.
  world.logLines.push(line("172.31.1.8", "0123456789-0.1"));
  const { loggedSources, served } = await witness(world, ["client1"], "tcp://172.31.1.8:30604", false);
  expect(served).toEqual({ client1: true });
  expect(loggedSources).toEqual(["fd00::55"]);
});
