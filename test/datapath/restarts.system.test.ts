// Agents are killed and restarted, and policies change, while clients keep opening connections. KILLS=20: per agent (default: 3).
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster, until } from "./cluster/bare-cluster.ts";
import { endpoints, onlyFrom, returnMode, service } from "./cluster/objects.ts";

const KILLS = Number(process.env.KILLS || 3);
const FLAPS = 10 * KILLS;
/** New connections per second of client1, which is allowed; client2, which is not, tries a tenth of it. */
const RATE = 200;
const places = ["172.31.1.8:30604", "172.31.1.207:30604"];
/** With the same name: one replaces the other. Both admit client1, but not client2. */
const narrow = onlyFrom("web", "172.31.1.55/32");
const wider = onlyFrom("web", "172.31.1.55/32", "172.31.1.56/32");

// Opens one connection after the other, to the addresses in turn, and counts the results. A connection whose SYN is retransmitted
// after a second counts as slow: the first SYN was lost. One fails after 5 s, counted in ticks: time without a processor is not the network's.
const load = `
  const [rate, ...places] = process.argv.slice(1);
  const { connect } = require("node:net");
  const count = { opened: 0, answered: 0, slow: 0, failed: 0 };
  const waiting = new Map();
  let due = performance.now();
  const open = () => {
    const [host, port] = places[count.opened++ % places.length].split(":");
    const begun = performance.now();
    const socket = connect({ host, port: +port }, () => {
      waiting.delete(socket);
      count.answered++;
      if (performance.now() - begun > 900) count.slow++;
      socket.destroy();
    });
    waiting.set(socket, 0);
    socket.on("error", () => waiting.delete(socket) && count.failed++);
  };
  setInterval(() => {
    for (const [socket, ticks] of waiting) {
      waiting.set(socket, ticks + 1);
      if (ticks < 50) continue;
      waiting.delete(socket);
      count.failed++;
      socket.destroy();
    }
  }, 100);
  setInterval(() => { for (; due <= performance.now(); due += 1000 / rate) open(); }, 1);
  setInterval(() => console.log(JSON.stringify(count)), 100);`;

interface Count {
  opened: number;
  answered: number;
  slow: number;
  failed: number;
}

let cluster: BareCluster;

beforeAll(async () => {
  cluster = await BareCluster.start();
  const web = await Promise.all(
    (["master", "node"] as const).map((on) => cluster.addPod(`on-${on}`, on, { app: "web" })),
  );
  cluster.apply(service("web", { clusterIP: "10.96.0.10", nodePort: 30604 }), endpoints("web", web));
});
afterAll(() => cluster?.close());

describe.each(["DSR", "Tunnel"] as const)("under new connections, return mode %s", (mode) => {
  beforeAll(async () => {
    cluster.apply(returnMode(mode), narrow);
    await cluster.carriedOut();
    for (const place of places) {
      await until("the service", async () => (await cluster.see("client1", place)).startsWith("allowed"));
      await until("the policy", async () => (await cluster.see("client2", place)) === "dropped");
    }
  });

  /** The results of a client's connections during an operation. */
  function connecting(client: "client1" | "client2", rate: number): { count: () => Count; end: () => void } {
    const child = cluster.spawn(client, [process.execPath, "-e", load, String(rate), ...places]);
    let count: Count = { opened: 0, answered: 0, slow: 0, failed: 0 };
    child.stdout?.on("data", (text: Buffer) => {
      count = JSON.parse(text.toString().trim().split("\n").at(-1) as string) as Count;
    });
    return { count: () => count, end: () => child.kill("SIGKILL") };
  }

  async function during(what: () => Promise<void>): Promise<{ allowed: Count; forbidden: Count }> {
    const [allowed, forbidden] = [connecting("client1", RATE), connecting("client2", RATE / 10)];
    try {
      await until("connections", async () => allowed.count().answered > RATE && forbidden.count().opened > RATE / 10);
      await what();
      const { opened } = allowed.count();
      await until("the last connections", async () => allowed.count().answered + allowed.count().failed >= opened);
      return { allowed: allowed.count(), forbidden: forbidden.count() };
    } finally {
      allowed.end();
      forbidden.end();
    }
  }

  test("killed agents lose no connection and admit none wrongly", { timeout: 600_000 }, async () => {
    const { allowed, forbidden } = await during(async () => {
      for (let time = 0; time < KILLS; time++) {
        await Promise.all([cluster.killAgent("master"), cluster.killAgent("node")]);
        await Promise.all([cluster.startAgent("master"), cluster.startAgent("node")]); // each has said itself that it is ready
      }
    });
    console.log(`${mode}, ${KILLS} kills of each agent:`, allowed, "forbidden:", forbidden);
    expect(allowed.failed).toBe(0);
    expect(forbidden.answered).toBe(0);
  });

  test("changing policies never admit a client that none of them allows", { timeout: 600_000 }, async () => {
    const { allowed, forbidden } = await during(async () => {
      for (let time = 0; time < FLAPS; time++) {
        cluster.apply(time % 2 === 0 ? wider : narrow);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    });
    console.log(`${mode}, ${FLAPS} changes of the policy:`, allowed, "forbidden:", forbidden);
    expect(allowed.failed).toBe(0);
    expect(forbidden.answered).toBe(0);
  });
});
