// A thousand changes of policies under load, with agents that are killed among them; calico-policies.system.test.ts has the short one.
import { afterAll, beforeAll, test } from "vitest";
import { BareCluster } from "./cluster/bare-cluster.ts";
import { flapUnderLoad } from "./flaps.ts";
import { serveEchoes } from "./traffic/serving.ts";

const FLAPS = Number(process.env.FLAPS || 1000);

let cluster: BareCluster;
beforeAll(async () => {
  cluster = await BareCluster.start({ vxlanMode: "CrossSubnet" });
});
afterAll(() => cluster?.close());

test("while policies change, old or new rules hold, also where agents are killed meanwhile", async () => {
  const [web, near, far, calm, quiet] = await Promise.all([
    cluster.addPod("web", "node", { app: "web" }),
    cluster.addPod("near", "node", { app: "near" }),
    cluster.addPod("far", "master", { app: "far" }),
    cluster.addPod("calm", "master", { app: "calm" }),
    cluster.addPod("quiet", "node", { app: "quiet" }),
  ]);
  for (const server of [web, quiet]) await serveEchoes(cluster, server);
  await flapUnderLoad(cluster, { web, near, far, calm, quiet }, FLAPS, async (index) => {
    if (index % 200 !== 100) return;
    await cluster.killAgent("node");
    await cluster.startAgent("node");
  });
}, 1_200_000);
