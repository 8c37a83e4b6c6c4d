import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster, until } from "./bare_cluster.ts";
import type { Connected } from "./connecting.ts";
import { type ClientName, clients, endpoints, nodes, onlyFrom, returnMode, service } from "./objects.ts";

const connecting = join(import.meta.dirname, "connecting.ts");
/** How often each agent is killed, and a policy changed. KILLS=20 FLAPS=200 is the whole campaign. */
const KILLS = Number(process.env.KILLS ?? 3);
const FLAPS = Number(process.env.FLAPS ?? 40);

// The packet path serves and judges while nobody is there to write its maps, and while they are rewritten.
describe.each(["DSR", "Tunnel"] as const)("under new connections, return mode %s", (mode) => {
  let cluster: BareCluster;

  beforeAll(async () => {
    cluster = await BareCluster.start();
    const web = await cluster.addPod("web", "node", { app: "web" });
    cluster.apply(
      returnMode(mode),
      service("web", { clusterIP: "10.96.0.10", nodePort: 30604 }),
      endpoints("web", [web]),
      onlyFrom("web", `${clients.client1}/32`),
    );
    await until("the service", async () => (await cluster.see("client1", "172.31.1.8:30604")).startsWith("allowed"));
    await until("the policy", async () => (await cluster.see("client2", "172.31.1.8:30604")) === "dropped");
  });
  afterAll(() => cluster?.close());

  /** Connections to the node port through `master` until `work` is done. */
  async function during(client: ClientName, perSecond: number, work: () => Promise<void>): Promise<Connected> {
    const command = [process.execPath, connecting, nodes.master, "30604", String(perSecond)];
    const child = cluster.spawn(client, command, "pipe");
    let text = "";
    child.stdout?.on("data", (more) => {
      text += more;
    });
    const ended = new Promise((resolve) => child.once("close", resolve));
    await work();
    child.stdin?.end();
    await ended;
    return JSON.parse(text) as Connected;
  }

  test(`killing both nodes' agents ${KILLS} times fails nobody and admits nobody`, async () => {
    const lives = new Set<string | undefined>();
    const kills = async () => {
      for (let round = 0; round < KILLS; round++) {
        for (const name of ["master", "node"] as const) {
          await cluster.killAgent(name);
          await cluster.startAgent(name);
          lives.add(/^process_start_time_seconds (.+)$/m.exec(await cluster.metrics(name))?.[1]);
        }
      }
    };
    let forbidden: Connected | undefined;
    const served = await during("client1", 200, async () => {
      forbidden = await during("client2", 50, kills);
    });
    console.log(
      `${mode}: ${served.served} of ${served.opened} served, ${forbidden?.served} of ${forbidden?.opened} forbidden`,
    );
    expect(served.opened).toBeGreaterThan(100 * KILLS);
    expect(served.failed).toEqual({});
    expect(served.served).toBe(served.opened);
    expect(forbidden).toMatchObject({ served: 0 });
    expect(lives.size).toBe(2 * KILLS);
  });

  test(`a policy that changes ${FLAPS} times admits nobody whom both of its forms refuse`, async () => {
    const forms = [`${clients.client1}/32`, "172.31.1.56/32"];
    const flaps = async () => {
      for (let round = 0; round < FLAPS; round++) {
        cluster.apply(onlyFrom("web", forms[round % 2] as string));
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    const forbidden = await during("client2", 200, flaps);
    console.log(`${mode}: ${forbidden.served} of ${forbidden.opened} forbidden served`);
    expect(forbidden).toMatchObject({ served: 0 });
    expect(forbidden.opened).toBeGreaterThan(FLAPS);
  });
});
