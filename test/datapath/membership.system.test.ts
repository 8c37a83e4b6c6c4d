import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster, type From, until } from "./cluster/bare-cluster.ts";
import { endpoints, returnMode, service } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { hold } from "./traffic/holding.ts";
import { serveEchoes } from "./traffic/serving.ts";

let cluster: BareCluster;
let green: Placed;
let asker: Placed;

beforeAll(async () => {
  cluster = await BareCluster.start();
  [green, asker] = await Promise.all([
    cluster.addPod("green", "node", { app: "green" }),
    cluster.addPod("asker", "master", { app: "asker" }),
  ]);
});
afterAll(() => cluster?.close());

// Blue-green: a service moves to other pods while another service keeps its old pod. In each mode from ports of its own.
describe.each([
  ["DSR", 46_000],
  ["Tunnel", 46_500],
] as const)("a service moves to other pods, return mode %s", (mode, firstPort) => {
  let blue: Placed;

  beforeAll(async () => {
    blue = await cluster.addPod("blue", "node", { app: "blue" });
    cluster.apply(
      returnMode(mode),
      service("blue-udp", { clusterIP: "10.96.0.20", nodePort: 30020, protocol: "UDP" }),
      endpoints("blue-udp", [blue], "UDP"),
      service("blue-tcp", { clusterIP: "10.96.0.21", nodePort: 30021 }),
      endpoints("blue-tcp", [blue]),
    );
    await cluster.carriedOut();
  });

  const server = async (from: From, to: string, protocol: "tcp" | "udp", sourcePort?: number) => {
    const [result] = await cluster.probe(from, { to, protocol, ...(sourcePort && { sourcePort }) });
    return result?.server ?? result?.verdict ?? "nothing";
  };

  test("a UDP flow moves with its service, and ends with it", async () => {
    const moving = service("moving", { clusterIP: "10.96.0.30", nodePort: 30030, protocol: "UDP" });
    cluster.apply(moving, endpoints("moving", [blue], "UDP"));
    const doors = ["172.31.1.8:30030", "172.31.1.207:30030"];
    const all = (wanted: string) => async () =>
      (await Promise.all(doors.map((to) => server("client1", to, "udp", firstPort)))).every((seen) => seen === wanted);
    await until("blue", all("default/blue"));
    cluster.apply(endpoints("moving", [green], "UDP"));
    await until("green", all("default/green"));
    cluster.remove(moving, endpoints("moving", [green], "UDP"));
    await until("the end", all("rejected"));
    expect(await server("client1", "172.31.1.8:30020", "udp", firstPort + 1)).toBe("default/blue");
  });

  test("a returning client (session affinity) reaches a pod that the service still selects", async () => {
    const affine = service("affine", {
      clusterIP: "10.96.0.31",
      nodePort: 30031,
      spec: { sessionAffinity: "ClientIP" },
    });
    cluster.apply(affine, endpoints("affine", [blue]));
    const doors: [From, string][] = [
      ["client1", "172.31.1.8:30031"],
      ["client1", "172.31.1.207:30031"],
      ["default/asker", "10.96.0.31:80"],
      ["master", "10.96.0.31:80"],
    ];
    const all = (wanted: string) => async () =>
      (await Promise.all(doors.map(([from, to]) => server(from, to, "tcp")))).every((seen) => seen === wanted);
    await until("blue", all("default/blue"));
    cluster.apply(endpoints("affine", [green]));
    await until("green", all("default/green"));
    cluster.remove(affine, endpoints("affine", [green]));
  });

  test("a TCP connection stays with a running pod that its service no longer selects, and without the service", async () => {
    await serveEchoes(cluster, blue);
    const spec = { ports: [{ name: "echo", protocol: "TCP", port: 82, targetPort: 82, nodePort: 30082 }] };
    const echo = service("echo", { clusterIP: "10.96.0.12", nodePort: 30082, spec });
    const slice = (backends: Placed[]) => ({
      ...endpoints("echo", backends),
      ports: [{ name: "echo", protocol: "TCP", port: 82 }],
    });
    cluster.apply(echo, slice([blue]));
    await cluster.carriedOut();
    const outside = [
      hold(cluster, "172.31.1.8:30082", firstPort + 100),
      hold(cluster, "172.31.1.207:30082", firstPort + 101),
    ];
    const held = [...outside, hold(cluster, "10.96.0.12:82", firstPort + 102, asker)];
    await until("the connections", async () => held.every(({ lines }) => lines.includes("connected")));
    const goOn = async () => {
      await cluster.carriedOut();
      expect(await cluster.see("client1", "172.31.1.207:30082")).toBe("rejected");
      const before = held.map(({ echoed }) => echoed);
      await until("more echoes", async () => held.every(({ echoed }, index) => echoed > (before[index] ?? 0)));
      expect(held.map(({ lines }) => lines)).toEqual([["connected"], ["connected"], ["connected"]]);
    };
    cluster.apply(slice([]));
    await goOn();
    cluster.remove(echo, slice([]));
    await goOn();

    await cluster.removePod("blue");
    await until("the resets", async () => outside.every(({ lines }) => lines.includes("closed")));
    for (const { lines } of outside) expect(lines).toContain("error ECONNRESET");
  });
});
