import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster, until } from "./cluster/bare-cluster.ts";
import { endpoints, felix, service } from "./cluster/objects.ts";
import { compiled } from "./traffic/compiled.ts";
import { inPod } from "./traffic/holding.ts";
import type { Asked } from "./traffic/socket-client.ts";

const client = join(import.meta.dirname, "traffic", "socket-client.ts");

// A sidecar receives every connection of its pod by a redirect inside the pod, and asks the kernel for the original destination.
const RULES =
  "table ip sidecar { chain out { type nat hook output priority -100; tcp dport 80 redirect to :15001; }; }";

describe("a sidecar that redirects its pod's connections", () => {
  let cluster: BareCluster;
  let seen = "";

  beforeAll(async () => {
    cluster = await BareCluster.start();
    const web = await cluster.addPod("web", "node", { app: "web" });
    await cluster.addPod("meshed", "master", { app: "meshed" });
    cluster.apply(service("web", { clusterIP: "10.96.0.10", nodePort: 30604 }), endpoints("web", [web]));
    await cluster.carriedOut();
    const inPod = ["nsenter", "--net=/run/netns/meshed"];
    const sidecar = cluster.spawn("master", [...inPod, await compiled("sidecar"), "15001"]);
    sidecar.stdout?.on("data", (text) => {
      seen += text;
    });
    await cluster.run("master", [...inPod, "nft", RULES]);
  });
  afterAll(() => cluster?.close());

  async function askedFor(): Promise<string | undefined> {
    const before = seen.length;
    // Again if the sidecar does not listen yet.
    await until("the sidecar to see it", async () => {
      await cluster.see("default/meshed", "10.96.0.10:80");
      return seen.length > before;
    });
    return seen.slice(before).trim().split("\n").at(-1);
  }

  test("sees the pod behind the service by default", async () => {
    expect(await askedFor()).toMatch(/^10\.244\.1\.\d+:80$/);
  });

  test.each([
    ["socketTranslation: HostOnly", felix({ "ebpf-dataplane.io/socket-translation": "HostOnly" })],
    ["Calico's bpfConnectTimeLoadBalancing: Disabled", felix({}, { bpfConnectTimeLoadBalancing: "Disabled" })],
  ])("sees the service with %s, at once", async (_, configuration) => {
    cluster.apply(configuration);
    await cluster.carriedOut();
    expect(await askedFor()).toBe("10.96.0.10:80");
    cluster.apply(felix({ "ebpf-dataplane.io/socket-translation": "All" }));
    await cluster.carriedOut();
    expect(await askedFor()).toMatch(/^10\.244\.1\./);
  });

  test("meanwhile nodes' own sockets are translated, and pods' traffic is translated per packet", async () => {
    cluster.apply(felix({ "ebpf-dataplane.io/socket-translation": "HostOnly" }));
    await cluster.carriedOut();
    expect(await askedFor()).toBe("10.96.0.10:80");
    for (const node of ["master", "node"] as const) {
      expect(await cluster.see(node, "10.96.0.10:80")).toMatch(/^allowed default\/web/);
      expect(await cluster.see(node, "127.0.0.1:30604")).toMatch(/^allowed default\/web/);
    }
    await cluster.addPod("plain", "master", { app: "plain" });
    expect(await cluster.see("default/plain", "10.96.0.10:80")).toMatch(/^allowed default\/web saw 10\.244\.0\.\d+$/);
    expect(await cluster.see("default/plain", "172.31.1.207:30604")).toMatch(/^allowed default\/web saw 10\.244/);
  });

  test("a connected UDP socket of a pod outlives changes of services: its packets follow them", async () => {
    const [first, second] = [
      await cluster.addPod("first", "node", { app: "dns" }),
      await cluster.addPod("second", "node", { app: "dns" }),
    ];
    cluster.apply(
      felix({ "ebpf-dataplane.io/socket-translation": "HostOnly" }),
      service("dns", { clusterIP: "10.96.0.11", nodePort: 30053, protocol: "UDP" }),
      endpoints("dns", [first], "UDP"),
    );
    await cluster.carriedOut();
    const asking = await cluster.addPod("asking", "master", { app: "asking" });
    const asked: Asked = { how: "connected", family: 4, to: ["10.96.0.11:80"], count: 5_000, every: 20 };
    const program = cluster.spawn(asking.node, inPod(asking, [process.execPath, client, JSON.stringify(asked)]));
    let printed = "";
    program.stdout?.on("data", (text) => {
      printed += text;
    });
    try {
      await until("the first one to answer", async () => printed.includes("default/first"));
      cluster.apply(endpoints("dns", [second], "UDP"));
      await until(
        "the second one to answer",
        async () => printed.includes("default/second"),
        () => printed,
      );
      // The agent looks at pods' sockets once a second.
      for (let look = 0; look < 3; look++) {
        cluster.apply(service(`other-${look}`, { clusterIP: `10.96.0.2${look}`, nodePort: 30700 + look }));
        await setTimeout(1000);
      }
      const lines = printed.trim().split("\n");
      expect(lines.filter((line) => line.includes('"error"'))).toEqual([]);
      expect(lines.at(-1)).toContain("default/second");
    } finally {
      program.kill();
    }
  });
});
