import { describe, expect, it } from "vitest";
import { type Check, checkSchema } from "../../components/documents/check.ts";
import type { CapturedPacket } from "../../probe/capture.ts";
import { runRound } from "./round.ts";
import { FakeWorld } from "./world.fixture.ts";

function expectations(...written: object[]): Check["steps"][number]["expect"] {
  const expect = written.map((one) => ({ from: "client1", to: "tcp://172.31.1.8:30604", verdict: "allowed", ...one }));
  return checkSchema.parse({ name: "n", steps: [{ expect }] }).steps[0]?.expect ?? [];
}

/** One round over these expectations. */
async function round(world: FakeWorld, ...written: object[]) {
  let token = 0;
  return runRound(world, expectations(...written), () => `ab-${token++}`);
}

async function assessment(world: FakeWorld, written: object) {
  const [only] = await round(world, written);
  return only;
}

const allowed = { verdict: "allowed", localAddress: "172.31.1.55", localPort: 40001 } as const;

describe("batches", () => {
  it("are sent when every prober is ready, not before", async () => {
    const world = new FakeWorld();
    const node = world.node;
    world.node = (agent) => {
      const actor = node(agent);
      const slow = async (batch: Parameters<typeof actor.prepare>[0]) => {
        await new Promise((resolve) => setTimeout(resolve, 30));
        return actor.prepare(batch);
      };
      return { ...actor, prepare: slow };
    };
    await round(world, {}, { from: "node/node" });
    expect(world.order).toEqual(["ready client1", "ready node/node", "send client1", "send node/node"]);
  });

  it("leave once per machine and node, with the pod each probe belongs to", async () => {
    const world = new FakeWorld();
    await round(
      world,
      {},
      { count: 3 },
      { from: "pod/default/nginx-1" },
      { from: "node/node" },
      { from: "pod/default/web-0", to: "tcp://nginx:80" },
    );
    expect(world.batches.map(({ from, batch }) => [from, batch.map(({ pod }) => pod)])).toEqual([
      ["client1", [undefined, undefined]],
      ["node/node", ["default/nginx-1:uid-of-nginx-1", undefined]],
      ["node/master", ["default/web-0:uid-of-web-0"]],
    ]);
    expect(world.batches[2]?.batch[0]?.dns).toEqual({
      servers: ["10.96.0.10"],
      search: ["default.svc.cluster.local", "svc.cluster.local", "cluster.local"],
      ndots: 5,
    });
  });

  it("leave from a host-network pod's node", async () => {
    const world = new FakeWorld();
    const web = world.cluster.pods.find(({ metadata }) => metadata?.name === "web-0");
    if (web?.spec) web.spec.hostNetwork = true;
    await round(world, { from: "pod/default/web-0" });
    expect(world.batches[0]).toMatchObject({ from: "node/master", batch: [{ host: "172.31.1.8" }] });
    expect(world.batches[0]?.batch[0]).toMatchObject({ pod: undefined, dns: undefined });
  });

  it("reach the named destination", async () => {
    const world = new FakeWorld();
    await round(
      world,
      { to: "udp://service/default/nginx:80" },
      { to: "tcp://node/node:1" },
      { to: "tcp://pod/default/app=nginx:80" },
    );
    expect(world.batches[0]?.batch.map(({ host }) => host)).toEqual(["10.102.27.139", "172.31.1.207", "10.244.1.2"]);
  });

  it("reach the destination's address of the expected family, or say that it has none", async () => {
    const world = new FakeWorld();
    const { nodes, pods, services } = world.cluster;
    nodes[0]?.status?.addresses?.push({ type: "InternalIP", address: "fd00::8" });
    const nginx = services.find(({ metadata }) => metadata?.name === "nginx");
    if (nginx?.spec) nginx.spec.clusterIPs = ["10.102.27.139", "fd00:96::1"];
    const pod = pods.find(({ metadata }) => metadata?.name === "nginx-1");
    if (pod?.status) pod.status.podIPs = [{ ip: "10.244.1.2" }, { ip: "fd00:244::2" }];
    const family = "IPv6";
    const targets = ["service/default/nginx", "node/master", "pod/default/nginx-1", "nginx.default"];
    await round(world, ...targets.map((host) => ({ to: `tcp://${host}:80`, family })));
    expect(world.batches[0]?.batch.map(({ host }) => host)).toEqual([
      "fd00:96::1",
      "fd00::8",
      "fd00:244::2",
      "nginx.default",
    ]);
    expect(world.batches[0]?.batch.map(({ family }) => family)).toEqual(Array(4).fill("IPv6"));
    expect(await assessment(world, { to: "tcp://node/node:80", family })).toMatchObject({
      pass: false,
      observed: "not probed: node node has no IPv6 address, only 172.31.1.207",
    });
  });
});

describe("answers", () => {
  it("are judged by source, named when it belongs to somebody", async () => {
    const world = new FakeWorld();
    world.answer = () => ({ ...allowed, server: "default/nginx-1", source: "172.31.1.8", sourcePort: 40001 });
    expect(await assessment(world, { source: "172.31.1.55" })).toMatchObject({
      pass: false,
      observed: "allowed from 172.31.1.8",
      evidence: [expect.stringContaining("pod default/nginx-1 saw 172.31.1.8 (node master), not 172.31.1.55")],
    });
    for (const source of ["172.31.1.8", "node/master", { anyOf: ["client1", "node/master"] }]) {
      expect(await assessment(world, { source })).toMatchObject({ pass: true });
    }
  });

  it("are judged by server and spread", async () => {
    const world = new FakeWorld();
    let turn = 0;
    world.answer = () => ({
      ...allowed,
      server: `default/${["nginx-1", "web-0"][turn++ % 2]}`,
      source: "172.31.1.55",
      sourcePort: 40001,
    });
    expect(await assessment(world, { count: 4, spread: 2 })).toMatchObject({
      pass: true,
      observed: "2× allowed from 172.31.1.55, by default/nginx-1; 2× allowed from 172.31.1.55, by default/web-0",
    });
    expect(await assessment(world, { count: 4, spread: 3 })).toMatchObject({ pass: false });
    expect(await assessment(world, { count: 4, spread: 2, spreadAtMost: 2 })).toMatchObject({ pass: true });
    expect(await assessment(world, { count: 4, spreadAtMost: 1 })).toMatchObject({
      pass: false,
      evidence: ["2 servers answered (default/nginx-1, default/web-0), at most 1 expected"],
    });
    expect(await assessment(world, { count: 4, servers: ["default/app=nginx"] })).toMatchObject({
      pass: false,
      evidence: ["2× default/web-0 answered, not default/app=nginx"],
    });
    expect(await assessment(world, { count: 4, servers: ["default/app=nginx", "default/web-0"] })).toMatchObject({
      pass: true,
    });
  });

  it("are judged by the number of distinct servers", async () => {
    const world = new FakeWorld();
    world.answer = () => ({ ...allowed, server: "default/nginx-1", source: "172.31.1.55" });
    expect(await assessment(world, { count: 4, distinct: { atLeast: 1, atMost: 1 } })).toMatchObject({ pass: true });
    expect(await assessment(world, { count: 4, distinct: { atLeast: 2 } })).toMatchObject({
      pass: false,
      reasons: [{ code: "tooFewServers" }],
      evidence: ["1 server answered (default/nginx-1), at least 2 expected"],
    });
  });

  it("are judged by what comes back of a size", async () => {
    const world = new FakeWorld();
    world.answer = () => ({ ...allowed, echoed: 60_000 });
    const written = { size: 60_000 };
    expect(await assessment(world, written)).toMatchObject({ pass: true, observed: "allowed, 60000 bytes echoed" });
    expect(world.batches[0]?.batch[0]).toMatchObject({ size: 60_000 });
    for (const [seen, words] of [
      [{ echoed: 1472 }, "1472 of 60000 bytes came back"],
      [{ echoed: 1472, differsAt: 1472 }, "of 60000 bytes the one at offset 1472 came back as another"],
      [
        { echoed: 0, differsAt: 0, answer: "HTTP/1.1 400" },
        'the server does not send back what it receives; it answered "HTTP/1.1 400"',
      ],
    ] as const) {
      world.answer = () => ({ ...allowed, ...seen });
      expect(await assessment(world, written)).toMatchObject({ pass: false, evidence: [words] });
    }
  });

  it("of ICMP say which error refused, and SCTP without a kernel for it is open, at once", async () => {
    const world = new FakeWorld();
    world.answer = (_, { protocol }) =>
      protocol === "icmp"
        ? { verdict: "rejected", error: "ICMP type 3 code 13, administratively prohibited, from 172.31.1.8" }
        : { verdict: "none", error: "its kernel has no SCTP", unsupported: "its kernel has no SCTP" };
    const icmp = { type: 8, code: 0 };
    expect(await assessment(world, { to: "icmp://node/master", icmp })).toMatchObject({
      pass: false,
      observed: "rejected (ICMP type 3 code 13, administratively prohibited, from 172.31.1.8)",
    });
    expect(world.batches[0]?.batch[0]).toMatchObject({ protocol: "icmp", host: "172.31.1.8", port: 0, icmp });
    for (const verdict of ["allowed", "dropped", "rejected"])
      expect(await assessment(world, { to: "sctp://172.31.1.8:36412", verdict })).toMatchObject({
        pass: false,
        unsupported: true,
        undecided: "client1 cannot send SCTP: its kernel has no SCTP",
        reasons: [],
      });
  });

  it("are judged by HTTP status", async () => {
    const world = new FakeWorld();
    world.answer = () => ({ ...allowed, status: 503 });
    const http = { path: "/healthz", status: 503 };
    expect(await assessment(world, { http })).toMatchObject({ pass: true, observed: "allowed, HTTP 503" });
    expect(world.batches[0]?.batch[0]).toMatchObject({ path: "/healthz" });
    expect(await assessment(world, { http: { path: "/healthz" } })).toMatchObject({
      pass: false,
      evidence: ["/healthz was answered with HTTP status 503, not 200"],
      seen: [{ httpStatus: 503 }],
    });
    world.answer = () => ({ ...allowed, answer: "SSH-2.0-x" });
    expect((await assessment(world, { http }))?.evidence).toEqual([
      'the answer is not HTTP: "SSH-2.0-x"; /healthz with status 503 expected',
    ]);
  });

  it("must each show the verdict", async () => {
    const world = new FakeWorld();
    let turn = 0;
    world.answer = () => ({ verdict: turn++ === 0 ? "dropped" : "allowed" });
    expect(await assessment(world, { count: 3 })).toMatchObject({ pass: false, observed: "dropped; 2× allowed" });
  });

  it("of any web server are found in its log by the probe's token", async () => {
    const world = new FakeWorld();
    world.answer = () => allowed;
    world.logLines = ['172.31.1.55 - - [x] "GET / HTTP/1.1" 200 615 "-" "ebpf-dataplane-probe/ab-0.1" "-"'];
    expect(await assessment(world, { source: "client1", servers: ["default/nginx-1"] })).toMatchObject({
      pass: true,
      observed: "allowed from 172.31.1.55, by default/nginx-1",
      evidence: [`log of default/nginx-1: ${world.logLines[0]}`],
    });
    world.logLines = [];
    expect((await assessment(world, { source: "client1" }))?.evidence[0]).toContain(
      "no log line of default/nginx-1 contains the probe's token",
    );
  });
});

describe("the path of a reply", () => {
  const left: CapturedPacket = {
    device: "eth0",
    direction: "out",
    text: "Flags [.]",
    source: "172.31.1.8",
    sourcePort: 30604,
    destination: "172.31.1.55",
    destinationPort: 40001,
  };

  function worldWith(captured: CapturedPacket[], server = "default/nginx-1"): FakeWorld {
    const world = new FakeWorld();
    world.captured = captured;
    world.answer = () => ({ ...allowed, server, source: "172.31.1.55", sourcePort: 40001 });
    return world;
  }

  it("is direct when nothing of this flow left the entry node", async () => {
    const world = worldWith([{ ...left, destinationPort: 7 }]);
    expect(await assessment(world, { reply: "direct" })).toMatchObject({
      pass: true,
      observed: "allowed from 172.31.1.55, reply direct",
    });
    expect(await assessment(world, { reply: "viaEntryNode" })).toMatchObject({ pass: false });
    expect(world.filters[0]).toBe("(tcp and src host 172.31.1.8 and src port 30604)");
  });

  it("is via the entry node when packets of it left there", async () => {
    const world = worldWith([left, left]);
    expect(await assessment(world, { reply: "viaEntryNode" })).toMatchObject({
      pass: true,
      observed: "allowed from 172.31.1.55, reply via the entry node",
      evidence: ["capture on entry node master: 2 packets of the replies to 1 attempts left it"],
    });
    expect(await assessment(world, { reply: "direct" })).toMatchObject({ pass: false });
  });

  it("is both when the server is on the entry node", async () => {
    const world = worldWith([left], "default/web-0");
    expect(await assessment(world, { reply: "direct" })).toMatchObject({ pass: true });
    expect(await assessment(world, { reply: "viaEntryNode" })).toMatchObject({ pass: true });
  });

  it("cannot be judged where no node owns the destination", async () => {
    expect(
      (await assessment(worldWith([]), { to: "tcp://service/default/nginx:80", reply: "direct" }))?.observed,
    ).toContain("no node owns 10.102.27.139");
  });
});
