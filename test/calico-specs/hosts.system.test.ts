// What the files about nodes expect, with real packets, one file after the other.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { BareCluster } from "../datapath/cluster/bare-cluster.ts";
import { pool } from "../datapath/cluster/objects.ts";
import { serveProbes } from "../datapath/traffic/serving.ts";
import { BareSpecs, checkOf } from "./bare-specs.ts";
import { ABOUT_HOSTS } from "./files.ts";

let cluster: BareCluster;
let specs: BareSpecs;

beforeAll(async () => {
  cluster = await BareCluster.start();
  // As in the local cluster: pods reach clients by their node's address, and the API server listens.
  const masquerading = pool("CrossSubnet");
  cluster.apply({ ...masquerading, spec: { ...(masquerading.spec as object), natOutgoing: true } });
  await serveProbes(cluster, "master", "machine/api", "tcp:6443");
  specs = new BareSpecs(cluster);
});
afterEach(() => specs.end());
afterAll(() => cluster?.close());

test.each(ABOUT_HOSTS)("every row of %s holds, step by step", async (file) => {
  const check = checkOf(file);
  await specs.begin(check);
  for (const [index, step] of check.steps.entries()) {
    specs.step(step);
    await cluster.carriedOut();
    expect(await specs.wrong(step.expect), `step ${index + 1}`).toEqual([]);
  }
});
