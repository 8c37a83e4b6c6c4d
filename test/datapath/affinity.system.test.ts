import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster, type From, until } from "./cluster/bare-cluster.ts";
import { endpoints, felix, nodes, service } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";

/** From where a service is asked, where, and how. */
type Door = [From, string, "tcp" | "udp"];

let cluster: BareCluster;
let backends: Placed[];

beforeAll(async () => {
  cluster = await BareCluster.start();
  backends = await Promise.all([
    cluster.addPod("near", "master", { app: "web" }),
    cluster.addPod("far", "node", { app: "web" }),
  ]);
  await cluster.addPod("asker", "master", { app: "asker" });
});
afterAll(() => cluster?.close());

/** Of datagrams: one of a port that was used in the last three minutes belongs to a flow, which keeps its backend. Below the ports that
 * the kernel gives to sockets. */
let sourcePort = 20_000;

/** A service with a backend on each node is asked by its node ports and its own address, while its affinity changes. */
describe.each(["DSR", "Tunnel"] as const)(
  "session affinity is switched while a service is in use, return mode %s",
  (mode) => {
    beforeAll(async () => {
      translate("All");
      for (const { name, exposed, protocol } of services)
        cluster.apply(service(name, exposed), endpoints(name, backends, protocol));
      await cluster.carriedOut();
    });

    const services = [
      { name: "web", exposed: { clusterIP: "10.96.0.40", nodePort: 30040 }, protocol: "TCP" },
      { name: "dns", exposed: { clusterIP: "10.96.0.41", nodePort: 30041, protocol: "UDP" }, protocol: "UDP" },
    ] as const;

    const translate = (sockets: "All" | "HostOnly") =>
      cluster.apply(felix({ "ebpf-dataplane.io/socket-translation": sockets }, { bpfExternalServiceMode: mode }));

    function stick(seconds?: number): void {
      const spec = seconds && {
        sessionAffinity: "ClientIP",
        sessionAffinityConfig: { clientIP: { timeoutSeconds: seconds } },
      };
      for (const { name, exposed } of services) cluster.apply(service(name, { ...exposed, ...(spec && { spec }) }));
    }

    /** Who answers 16 new connections; with two backends, all by one of them happens by chance once in 32,768 times. */
    async function servers(from: From, to: string, protocol: "tcp" | "udp"): Promise<string[]> {
      const probes = Array.from({ length: 16 }, () => ({
        ...{ to, protocol },
        ...(protocol === "udp" && { sourcePort: sourcePort++ }),
      }));
      const seen = await cluster.probe(from, ...probes);
      expect(seen.map(({ verdict }) => verdict)).toEqual(seen.map(() => "allowed"));
      return [...new Set(seen.map(({ server }) => server ?? "nobody"))].sort();
    }

    const doors = (protocol: "tcp" | "udp", port: number, clusterIP: string): Door[] => [
      ["client1", `${nodes.master}:${port}`, protocol],
      ["client1", `${nodes.node}:${port}`, protocol],
      ["client2", `${nodes.node}:${port}`, protocol],
      ["default/asker", `${clusterIP}:80`, protocol],
      ["node", `${clusterIP}:80`, protocol],
    ];
    const kinds = [
      ["tcp", 30040, "10.96.0.40"],
      ["udp", 30041, "10.96.0.41"],
    ] as const;

    test.each(kinds)(
      "%s: each client keeps one backend, from the next connection on, and no longer",
      async (protocol, port, clusterIP) => {
        const all = doors(protocol, port, clusterIP);
        stick();
        for (const door of all) await until("both", async () => (await servers(...door)).length === 2);
        stick(600);
        const kept = new Map<string, string[]>();
        for (const door of all) {
          await until("one", async () => (await servers(...door)).length === 1);
          kept.set(door.join(), await servers(...door));
        }
        for (const door of all) expect(await servers(...door), door.join()).toEqual(kept.get(door.join()));
        stick();
        for (const door of all) await until("both again", async () => (await servers(...door)).length === 2);
      },
    );

    test("a flow that is open keeps its backend, whatever the service says now", async () => {
      stick();
      const flow = { to: `${nodes.master}:30041`, protocol: "udp", sourcePort: sourcePort++ } as const;
      const serverOf = async () => (await cluster.probe("client2", flow))[0]?.server;
      const server = await serverOf();
      for (const seconds of [600, undefined, 600]) {
        stick(seconds);
        const now = seconds ? 1 : 2;
        await until(
          "the switch",
          async () => (await servers("client1", `${nodes.master}:30041`, "udp")).length === now,
        );
        expect(await serverOf()).toBe(server);
      }
    });

    test("a pod keeps its backend when its packets are translated in place of its sockets", async () => {
      stick(600);
      const door = ["default/asker", "10.96.0.40:80", "tcp"] as const;
      await until("one", async () => (await servers(...door)).length === 1);
      const kept = await servers(...door);
      translate("HostOnly");
      const settings = "bpftool -j map dump pinned /sys/fs/bpf/ebpf-dataplane/*/maps/settings";
      const written = async () => cluster.run("master", ["sh", "-c", settings]);
      await until("the sockets to be left alone", async () => /"socket_translation": ?1/.test(await written()));
      for (let time = 0; time < 3; time++) expect(await servers(...door)).toEqual(kept);
      translate("All");
    });
  },
);
