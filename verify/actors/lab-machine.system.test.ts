// A machine of a lab without Kubernetes: a probe server there, and what another machine gets from it.
import { join } from "node:path";
import { expect, test } from "vitest";
import { withBareLab } from "../../lab/machines/bare.ts";
import { type Probe, probeSchema } from "../../probe/batch.ts";
import { sendNow } from "./actor.ts";
import { labMachine } from "./lab-machine.ts";

const dist = join(import.meta.dirname, "..", "..", "dist");
const programs = { lab: join(dist, "lab.js"), probe: join(dist, "probe.js"), probers: join(dist, "probe") };
const LAB = `listen${process.pid.toString(36)}`;
const machines = [
  { name: "left", address: "172.31.1.8" },
  { name: "right", address: "172.31.1.207" },
];

const asked = (...probes: Partial<Probe>[]): Probe[] =>
  probes.map((probe, index) =>
    probeSchema.parse({
      id: `${index}`,
      token: `t${index}`,
      host: "172.31.1.8",
      port: 8080,
      protocol: "tcp",
      timeoutMs: 120_000, // a busy machine answers late
      ...probe,
    }),
  );

test("a machine's probe server answers while it runs, and its ports are free afterwards", async () => {
  await withBareLab(LAB, machines, async () => {
    const [left, right] = ["left", "right"].map((name) => labMachine(programs, LAB, name));
    if (!left || !right) throw new Error("two machines");
    const server = await left.listen({ tcp: [8080], udp: [8080] }, "machine/left");
    await expect(left.listen({ tcp: [8080], udp: [] }, "machine/left")).rejects.toThrow(
      /^the probe server on machine left does not start: .*EADDRINUSE/,
    );
    const seen = await sendNow(
      right,
      asked({}, { size: 1_000_000 }, { protocol: "udp", size: 60_000 }, { protocol: "icmp", port: 0 }, { port: 8081 }),
    );
    const results = seen.sort((one, other) => Number(one.id) - Number(other.id));
    expect(results.map(({ verdict, server, echoed }) => [verdict, server, echoed])).toEqual([
      ["allowed", "machine/left", undefined],
      ["allowed", "machine/left", 1_000_000],
      ["allowed", "machine/left", 60_000],
      ["allowed", undefined, undefined],
      ["rejected", undefined, undefined],
    ]);
    expect(results[0]).toMatchObject({ source: "172.31.1.207" });
    expect(await server.stop()).toBeUndefined();
    expect(await sendNow(right, asked({}))).toMatchObject([{ verdict: "rejected" }]);
  });
});
