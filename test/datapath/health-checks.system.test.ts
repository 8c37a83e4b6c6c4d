import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster, until } from "./cluster/bare-cluster.ts";
import { type Backend, clients, endpoints, felix, type NodeName, node, nodes, service } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { serve } from "./traffic/serving.ts";

const CHECK = 32_100;
const PROXY = 10_256;
const BOTH = Object.keys(nodes) as NodeName[];

// Asks each URL once, one after the other or, with a duration in ms, again and again. A line for each answer.
const ask = `
  const [duration, ...urls] = process.argv.slice(1);
  const end = performance.now() + Number(duration);
  (async () => {
    do for (const url of urls) {
      const [status, body, weight] = await fetch(url, { signal: AbortSignal.timeout(60_000) }).then(
        async (answer) => [answer.status, await answer.text(), answer.headers.get("x-load-balancing-endpoint-weight")],
        (error) => [error.cause?.code ?? error.name]);
      console.log(JSON.stringify({ status, body, weight }));
      if (performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
    } while (performance.now() < end);
  })();`;

interface Answer {
  status: number | string;
  body?: string;
  weight?: string;
}

describe("health checks of load balancers", () => {
  let cluster: BareCluster;
  let near: Placed;
  let far: Placed;

  beforeAll(async () => {
    cluster = await BareCluster.start();
    [near, far] = await Promise.all([
      cluster.addPod("near", "master", { app: "near" }),
      cluster.addPod("far", "node", { app: "far" }),
    ]);
    const spec = { type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort: CHECK };
    cluster.apply(service("web", { clusterIP: "10.96.0.70", nodePort: 30070, spec }));
  });
  afterAll(() => cluster?.close());

  async function answers(from: "client1" | NodeName, duration: number, ...urls: string[]): Promise<Answer[]> {
    const output = await cluster.run(from, [process.execPath, "-e", ask, String(duration), ...urls]);
    return output
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Answer);
  }
  const checks = BOTH.map((name) => `http://${nodes[name]}:${CHECK}`);
  const statuses = async (...urls: string[]) => (await answers("client1", 0, ...urls)).map(({ status }) => status);
  const backends = (...all: Backend[]) => cluster.apply(endpoints("web", all));
  const become = (wanted: (number | string)[], ...urls: string[]) =>
    until(`${urls} to answer ${wanted}`, async () => (await statuses(...urls)).join() === wanted.join());

  test("a load balancer finds the nodes with ready endpoints, and clients keep their addresses", async () => {
    backends(near);
    await become([200, 503], ...checks);
    const [good, bad] = await answers("client1", 0, ...checks);
    const body = { service: { namespace: "default", name: "web" }, serviceProxyHealthy: true };
    expect(JSON.parse(good?.body ?? "")).toEqual({ ...body, localEndpoints: 1 });
    expect(JSON.parse(bad?.body ?? "")).toEqual({ ...body, localEndpoints: 0 });
    expect([good?.weight, bad?.weight]).toEqual(["1", "0"]);
    expect(await cluster.see("client1", `${nodes.master}:30070`)).toBe(`allowed default/near saw ${clients.client1}`);

    // The endpoint moves: the node that loses it says so while its terminating endpoint still serves.
    backends({ ...near, terminating: true }, far);
    await become([503, 200], ...checks);
    for (const [name, pod] of [
      ["master", "near"],
      ["node", "far"],
    ] as const)
      expect(await cluster.see("client1", `${nodes[name]}:30070`)).toBe(
        `allowed default/${pod} saw ${clients.client1}`,
      );
    backends();
    await become([503, 503], ...checks);
  });

  test("pods, the node and its loopback are answered, too", async () => {
    backends(near);
    await become([200, 503], ...checks);
    const local = await answers("master", 0, `http://127.0.0.1:${CHECK}`, checks[1] as string);
    expect(local.map(({ status }) => status)).toEqual([200, 503]);
  });

  test("a node that is being deleted is not eligible, and lives", async () => {
    const urls = ["healthz", "livez"].map((path) => `http://${nodes.node}:${PROXY}/${path}`);
    await become([200, 200], ...urls);
    const taints = [{ key: "ToBeDeletedByClusterAutoscaler", effect: "NoSchedule" }];
    cluster.apply({ ...node("node"), spec: { taints } });
    await become([503, 200], ...urls);
    const [answer] = await answers("client1", 0, urls[0] as string);
    expect(JSON.parse(answer?.body ?? "")).toMatchObject({ nodeEligible: false });
    cluster.apply(node("node"));
    await become([200, 200], ...urls);
  });

  test("a killed agent's answers are back with the next one, and at no time say that the node has no endpoints", async () => {
    backends(near);
    await become([200], checks[0] as string);
    await cluster.killAgent("master");
    expect(await statuses(checks[0] as string)).toEqual(["ECONNREFUSED"]);
    const watching = answers("client1", 4_000, checks[0] as string);
    await cluster.startAgent("master");
    const seen = await watching;
    expect(seen.map(({ status }) => status)).not.toContain(503);
    await become([200], checks[0] as string);
  });

  test("kube-proxy's own answers take over while it handles services, and the agent's return", async () => {
    const urls = [checks[0] as string, `http://${nodes.master}:${PROXY}/healthz`];
    await become([200, 200], ...urls);
    cluster.apply(felix({ "ebpf-dataplane.io/service-handling": "KubeProxyIptables" }));
    await become(["ECONNREFUSED", "ECONNREFUSED"], ...urls);
    const proxy = await serve(
      cluster,
      "master",
      [
        process.execPath,
        "-e",
        `require("node:http").createServer((_, answer) => answer.end("kube-proxy")).listen(${PROXY}, "127.0.0.1")`,
      ],
      `tcp:${PROXY}`,
    );
    const at = `http://127.0.0.1:${PROXY}/healthz`;
    const body = async () => (await answers("master", 0, at))[0]?.body;
    await until("kube-proxy", async () => (await body()) === "kube-proxy");
    cluster.apply(felix({}));
    await become([200], checks[0] as string);
    expect(await body()).toBe("kube-proxy"); // the agent waits for the port
    proxy.kill("SIGKILL");
    await until("the agent at kube-proxy's port", async () => ((await body()) ?? "").includes("nodeEligible"));
  });
});
