import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster } from "./cluster/bare-cluster.ts";
import { block, endpoints, type KubernetesObject, pool, service } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";

// An IPAM block that overlaps a foreign network changes nothing, neither while it exists nor after its removal.
describe("blocks over foreign networks", () => {
  let cluster: BareCluster;
  let web: Placed;

  beforeAll(async () => {
    cluster = await BareCluster.start();
    web = await cluster.addPod("web", "node", { app: "web" });
    await cluster.addPod("far", "master", { app: "far" });
    cluster.apply(service("web", { clusterIP: "10.96.0.10", nodePort: 30604 }), endpoints("web", [web]));
    await cluster.carriedOut();
  });
  afterAll(() => cluster?.close());

  const routes = async () => [
    await cluster.run("master", ["ip", "route", "show"]),
    await cluster.run("node", ["ip", "route", "show"]),
  ];
  const holder = (cidr: string): KubernetesObject => ({
    ...pool("Never"),
    metadata: { name: "wide" },
    spec: { cidr, blockSize: 24 },
  });
  const inPool = (object: KubernetesObject, name: string): KubernetesObject => ({
    ...object,
    metadata: { name: `z-${object.metadata.name}` },
    spec: { ...(object.spec as object), pool: name },
  });

  test.each([
    ["the nodes' network", [block("172.31.1.0/24", "master")]],
    [
      "the nodes' network with a pool around it",
      [holder("172.31.0.0/16"), inPool(block("172.31.1.0/24", "node"), "wide")],
    ],
    ["the default route", [block("0.0.0.0/0", "node")]],
    ["the other node's block", [inPool(block("10.244.1.0/26", "master"), "default-ipv4-ippool")]],
  ])("%s", async (_, objects) => {
    const before = await routes();
    const works = async () => {
      expect(await cluster.see("client1", "172.31.1.8:30604")).toBe("allowed default/web saw 172.31.1.55");
      expect(await cluster.see("default/far", `${web.address}:80`)).toMatch(/^allowed default\/web/);
      expect(await cluster.see("master", "172.31.1.207:30604")).toBe("allowed default/web saw 172.31.1.8");
      expect(await routes()).toEqual(before);
    };
    cluster.apply(...objects);
    await cluster.carriedOut();
    await works();
    cluster.remove(...objects);
    await cluster.carriedOut();
    await works();
  });
});
