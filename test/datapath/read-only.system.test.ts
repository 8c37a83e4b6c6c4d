import { afterAll, beforeAll, expect, test } from "vitest";
import { BareCluster, until } from "./cluster/bare-cluster.ts";
import { endpoints, onlyFrom, service } from "./cluster/objects.ts";

// A node whose run folder can no longer be written, when its agent starts again.
let cluster: BareCluster;

beforeAll(async () => {
  cluster = await BareCluster.start();
  const web = await cluster.addPod("web", "node", { app: "web" });
  cluster.apply(service("web", { clusterIP: "10.96.0.10", nodePort: 30604 }), endpoints("web", [web]));
  await cluster.carriedOut();
});
afterAll(() => cluster?.close());

const see = (from: "client1" | "client2") => cluster.see(from, "172.31.1.207:30604");
const folder = "/run/ebpf-dataplane";

test("an agent that cannot write its run folder reports it, keeps policies in force, and recovers", async () => {
  await cluster.killAgent("node");
  await cluster.run("node", ["mount", "--bind", folder, folder]);
  await cluster.run("node", ["mount", "-o", "remount,bind,ro", folder]);
  const starting = cluster.startAgent("node");
  expect(await see("client2")).toBe("allowed default/web saw 172.31.1.162");
  cluster.apply(onlyFrom("web", "172.31.1.55/32"));
  await until("the policy", async () => (await see("client2")) === "dropped");
  expect(await see("client1")).toBe("allowed default/web saw 172.31.1.55");
  const report = `the run folder ${folder} is not writable (EROFS)`;
  await until("the report", async () => cluster.log("node").includes(report));
  await cluster.run("node", ["mount", "-o", "remount,bind,rw", folder]);
  await starting;
  const next = await cluster.addPod("late", "node", { app: "late" });
  expect(await cluster.see("default/web", `${next.address}:80`)).toMatch(/^allowed default\/late/);
});
