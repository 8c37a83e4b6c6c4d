import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { POOL_ANNOTATIONS } from "../../model/pool/choice.ts";
import { BareCluster, until } from "./cluster/bare-cluster.ts";
import {
  block,
  endpoints,
  type KubernetesObject,
  namespace,
  nodes,
  onlyFrom,
  pod,
  pool,
  returnMode,
  service,
} from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { startSink, transfer } from "./traffic/transfers.ts";

let cluster: BareCluster;
let web: Placed;
let near: Placed;
let far: Placed;

beforeAll(async () => {
  cluster = await BareCluster.start({ vxlanMode: "Never" });
  [web, near, far] = await Promise.all([
    cluster.addPod("web", "node", { app: "web" }),
    cluster.addPod("near", "node", { app: "near" }),
    cluster.addPod("far", "master", { app: "far" }),
  ]);
  cluster.apply(
    returnMode("DSR"),
    service("web", { clusterIP: "10.96.0.10", nodePort: 30604 }),
    endpoints("web", [web]),
    service("dns", { clusterIP: "10.96.0.11", nodePort: 30053, protocol: "UDP" }),
    endpoints("dns", [web], "UDP"),
    service("empty", { clusterIP: "10.96.0.13", nodePort: 30999 }),
  );
  // Datagrams from an address that is not the pod's.
  await cluster.run("node", ["nsenter", "--net=/run/netns/near", "ip", "address", "add", "10.9.9.9/32", "dev", "eth0"]);
  await cluster.run("client1", ["ip", "route", "add", `${web.address}/32`, "via", nodes.node]);
});
afterAll(() => cluster?.close());

// Walks 1 to 5, 10, 11 and 14: pods, nodes and services among themselves, routed and wrapped.
describe.each(["Never", "Always"] as const)("workloads, VXLAN %s", (vxlanMode) => {
  beforeAll(async () => {
    cluster.apply(pool(vxlanMode));
    await cluster.carriedOut();
    await cluster.podsHaveMtu(vxlanMode === "Never" ? 1500 : 1450);
  });

  const everybody = () =>
    [
      { from: "default/near", address: near.address },
      { from: "default/far", address: far.address },
      { from: "default/web", address: web.address },
    ] as const;

  test("pods see each other's own addresses, directly and through the service, TCP and UDP", async () => {
    for (const { from, address } of everybody()) {
      const seen = `allowed default/web saw ${address}`;
      expect(await cluster.see(from, `${web.address}:80`), from).toBe(seen);
      expect(await cluster.see(from, "10.96.0.10:80"), from).toBe(seen);
      expect(await cluster.see(from, "10.96.0.11:80", { protocol: "udp" }), from).toBe(seen);
    }
  });

  test("pods and nodes reach node ports on their own and the other node", async () => {
    for (const entry of ["172.31.1.8", "172.31.1.207"]) {
      expect(await cluster.see("default/near", `${entry}:30604`)).toBe(`allowed default/web saw ${near.address}`);
      expect(await cluster.see("default/far", `${entry}:30604`)).toBe(`allowed default/web saw ${far.address}`);
      expect(await cluster.see("master", `${entry}:30604`)).toBe("allowed default/web saw 172.31.1.8");
      expect(await cluster.see("node", `${entry}:30604`)).toBe("allowed default/web saw 172.31.1.207");
    }
    expect(await cluster.see("master", "127.0.0.1:30604")).toBe("allowed default/web saw 172.31.1.8");
  });

  test("a node reaches pods and services, its own and the other's", async () => {
    expect(await cluster.see("node", `${web.address}:80`)).toBe("allowed default/web saw 172.31.1.207");
    expect(await cluster.see("master", `${web.address}:80`)).toBe("allowed default/web saw 172.31.1.8");
    expect(await cluster.see("master", "10.96.0.10:80")).toBe("allowed default/web saw 172.31.1.8");
  });

  test("a service without backends refuses at the socket", async () => {
    expect(await cluster.see("default/near", "10.96.0.13:80")).toBe("rejected");
    expect(await cluster.see("master", "10.96.0.13:80")).toBe("rejected");
  });

  test("a pod has an address of the pool that its namespace names, or else of one that selects its node", async () => {
    const of = (name: string, cidr: string, spec: object): KubernetesObject => ({
      ...pool(vxlanMode),
      metadata: { name },
      spec: { cidr, blockSize: 28, vxlanMode, ...spec },
    });
    const here = "kubernetes.io/hostname == 'master'";
    const named = of("named", "10.245.0.0/16", { assignmentMode: "Manual" });
    const selecting = of("a-selecting", "10.246.0.0/16", { nodeSelector: here });
    // Without an API server a node does not learn of blocks that another claims.
    const blocks = [named, selecting].map(({ metadata, spec }) => {
      const cidr = (spec as { cidr: string }).cidr.replace("/16", "/28");
      return { ...block(cidr, "master"), spec: { cidr, node: "master", pool: metadata.name } };
    });
    const marked = { ...namespace("default").metadata, annotations: { [POOL_ANNOTATIONS.IPv4]: '["10.245.0.0/16"]' } };
    cluster.apply(named, selecting, { ...namespace("default"), metadata: marked }, ...blocks);
    const isReached = async ({ name, address }: Placed) =>
      (await cluster.see("default/near", `${address}:80`)) === `allowed default/${name} saw ${near.address}`;
    try {
      const asked = await cluster.addPod("asked", "master", { app: "asked" });
      expect(asked.address).toMatch(/^10\.245\./);
      await until("the pool that the namespace names", () => isReached(asked));
      cluster.apply(namespace("default"));
      const chosen = await cluster.addPod("chosen", "master", { app: "chosen" });
      expect(chosen.address).toMatch(/^10\.246\./);
      await until("the pool that selects the node", () => isReached(chosen));
      expect((await cluster.addPod("elsewhere", "node", { app: "elsewhere" })).address).toMatch(/^10\.244\./);
    } finally {
      cluster.apply(namespace("default"));
      for (const name of ["asked", "chosen", "elsewhere"]) await cluster.removePod(name).catch(() => undefined);
      cluster.remove(named, selecting, ...blocks);
      await cluster.carriedOut();
    }
  });

  test("a policy is judged on the pod's address; the pod's own node always gets through", async () => {
    const policy = onlyFrom("web", `${far.address}/32`);
    cluster.apply(policy);
    try {
      await cluster.carriedOut();
      expect(await cluster.see("default/near", `${web.address}:80`)).toBe("dropped");
      expect(await cluster.see("default/near", "10.96.0.10:80")).toBe("dropped");
      expect(await cluster.see("default/far", "10.96.0.10:80")).toBe(`allowed default/web saw ${far.address}`);
      expect(await cluster.see("node", `${web.address}:80`)).toBe("allowed default/web saw 172.31.1.207");
      expect(await cluster.see("master", `${web.address}:80`)).toBe("dropped");
      expect(await cluster.see("default/web", `${near.address}:80`)).toBe(`allowed default/near saw ${web.address}`);
    } finally {
      cluster.remove(policy);
    }
    await cluster.carriedOut();
    expect(await cluster.see("default/near", `${web.address}:80`)).toMatch(/^allowed/);
  });

  test("the ICMP error for a closed UDP port reaches the client, through every translation", async () => {
    expect(await cluster.see("default/near", `${web.address}:999`, { protocol: "udp" })).toBe("rejected");
    expect(await cluster.see("default/far", `${web.address}:999`, { protocol: "udp" })).toBe("rejected");
    const closed = service("closed", { clusterIP: "10.96.0.14", nodePort: 30099, protocol: "UDP" });
    cluster.apply(closed, { ...endpoints("closed", [web]), ports: [{ name: "web", protocol: "UDP", port: 999 }] });
    await cluster.carriedOut();
    for (const entry of ["172.31.1.207", "172.31.1.8"])
      await until(
        `the refusal by way of ${entry}`, // of ICMP errors a kernel sends few a second
        async () => (await cluster.see("client1", `${entry}:30099`, { protocol: "udp" })) === "rejected",
      );
  });

  test("a pod may use its own address only", async () => {
    const before = (await cluster.outcomes("node")).drop_spoofed_source ?? 0;
    const lie = `const s = require("node:dgram").createSocket("udp4"); s.bind(0, "10.9.9.9", () => s.send("x", 80, process.argv[1], () => s.close()))`;
    await cluster.run("node", ["nsenter", "--net=/run/netns/near", process.execPath, "-e", lie, web.address]);
    await until(
      "the lie to be counted",
      async () => ((await cluster.outcomes("node")).drop_spoofed_source ?? 0) > before,
    );
  });

  test("outside senders cannot use a pod's address where this is detectable", async () => {
    const before = (await cluster.outcomes("node")).drop_spoofed_source ?? 0;
    const mask = vxlanMode === "Always" ? far.address : near.address; // wrapped packets only; a pod of the node itself
    await cluster.run("client1", ["ip", "address", "add", `${mask}/32`, "dev", "lo"]);
    const pretend = `const s = require("node:dgram").createSocket("udp4"); s.bind(0, "${mask}", () => s.send("x", 80, process.argv[1], () => s.close()))`;
    for (const to of [web.address, "172.31.1.207"]) {
      await cluster.run("client1", [
        process.execPath,
        "-e",
        pretend.replace("80,", to === web.address ? "80," : "30053,"),
        to,
      ]);
    }
    const dropped = async () => ((await cluster.outcomes("node")).drop_spoofed_source ?? 0) >= before + 2;
    await until("both to be dropped", dropped);
    await cluster.run("client1", ["ip", "address", "delete", `${mask}/32`, "dev", "lo"]);
  });

  // How much less it is depends on the machine: `transfer` by hand showed 9.0 to 10.05 Mbit/s in 3 s, both ways, near and far.
  if (vxlanMode === "Never")
    test("a running pod follows its bandwidth annotations", async () => {
      const rate = 10e6;
      const burst = rate / 4 + 8 * 65_536;
      await startSink(cluster, web);
      for (const { limited, way, from, protocol } of [
        { limited: far, way: "egress", from: far, protocol: "tcp" },
        { limited: web, way: "ingress", from: near, protocol: "udp" },
      ] as const) {
        const isWithin = async () => {
          const { bytes, seconds } = await transfer(cluster, from, web, protocol, 0.5);
          return bytes * 8 <= rate * seconds + burst;
        };
        const drops = async () => (await cluster.outcomes(limited.node)).drop_bandwidth ?? 0;
        const before = await drops();
        const annotations = { [`kubernetes.io/${way}-bandwidth`]: "10M" };
        const { metadata, ...rest } = pod(limited);
        cluster.apply({ ...rest, metadata: { ...metadata, annotations } });
        await until(`${way} to be limited`, async () => (await isWithin()) && (await drops()) > before);
        cluster.apply(pod(limited));
        // Datagrams are offered at twice the rate, which a busy machine may not reach.
        if (protocol === "tcp") await until(`${way} not to be limited`, async () => !(await isWithin()));
      }
    });

  test("a deleted pod is unreachable immediately and leaves nothing on its node", async () => {
    const brief = await cluster.addPod("brief", "node", { app: "brief" });
    await until("the pod", async () => (await cluster.see("default/far", `${brief.address}:80`)).startsWith("allowed"));
    await cluster.removePod("brief");
    expect(await cluster.see("default/near", `${brief.address}:80`)).not.toMatch(/^allowed/);
    const routes = await cluster.run("node", ["ip", "route"]);
    expect(routes).not.toContain(`${brief.address} `);
  });
});
