// Load balancer addresses of two agents that share a server: who announces them, and how long clients wait when that node is gone.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster, until } from "./cluster/bare-cluster.ts";
import { clients, endpoints, endpointsIpv6, type KubernetesObject, type NodeName, service } from "./cluster/objects.ts";

const VIP = { IPv4: "172.31.1.240", IPv6: "fd00:172:31:1::240" } as const;
const poolOf = (name: string, cidr: string, blockSize: number): KubernetesObject => ({
  apiVersion: "projectcalico.org/v3",
  kind: "IPPool",
  metadata: { name },
  spec: { cidr, blockSize, vxlanMode: "Never", natOutgoing: false, allowedUses: ["LoadBalancer"] },
});
const web = service("web", {
  clusterIP: "10.96.0.10",
  clusterIPv6: "fd00:10:96::10",
  nodePort: 30604,
  spec: { type: "LoadBalancer" },
});
const EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers";
const LEASES = "/apis/coordination.k8s.io/v1/namespaces/ebpf-dataplane/leases";

// Opens one connection after the other, each with 100 ms to succeed, until one does; says after how many milliseconds, and how long
// of it the process got no time to run, as others did not.
const reach = `
  const { connect } = require("node:net");
  const [host] = process.argv.slice(1);
  const begun = performance.now();
  let [last, starved] = [begun, 0];
  setInterval(() => { const now = performance.now(); starved += Math.max(0, now - last - 20); last = now; }, 10);
  const attempt = () => {
    const socket = connect({ host, port: 80 });
    const given = setTimeout(() => { socket.destroy(); attempt(); }, 100);
    socket.on("error", () => undefined);
    socket.on("connect", () => {
      console.log(JSON.stringify({ after: performance.now() - begun, starved }));
      process.exit();
    });
  };
  attempt();`;

describe("load balancer addresses", () => {
  let cluster: BareCluster;
  const holders = async () => {
    const { items } = await cluster.at<{ items: { metadata: { name: string }; spec: { holderIdentity: string } }[] }>(
      LEASES,
    );
    return Object.fromEntries(
      items
        .filter(({ metadata }) => metadata.name.startsWith("address-"))
        .map(({ metadata, spec }) => [metadata.name, spec.holderIdentity]),
    );
  };
  const hasAll = async (name: NodeName) => {
    const all = Object.values(await holders());
    return all.length === 2 && all.every((holder) => holder === name);
  };
  const reached = async (family: keyof typeof VIP): Promise<{ after: number; starved: number }> =>
    JSON.parse(await cluster.run("client1", [process.execPath, "-e", reach, VIP[family]]));
  const neighbour = async (address: string): Promise<string> =>
    /lladdr (\S+)/.exec(await cluster.run("client1", ["ip", "neighbour", "show", address]))?.[1] ?? "";
  const macOf = async (name: NodeName): Promise<string> =>
    (await cluster.run(name, ["cat", "/sys/class/net/eth0/address"])).trim();

  const nodeIs = async (name: NodeName, { excluded = false, cordoned = false }) => {
    const known = await cluster.at<KubernetesObject>(`/api/v1/nodes/${name}`);
    const { [EXCLUDED]: _, ...labels } = known.metadata["labels"] as Record<string, string>;
    const metadata = { ...known.metadata, labels: { ...labels, ...(excluded && { [EXCLUDED]: "" }) } };
    cluster.apply({ ...known, metadata, spec: { unschedulable: cordoned } });
  };
  const told = async () => {
    const { items } = await cluster.at<{ items: { message: string }[] }>("/api/v1/namespaces/default/events");
    return items.map(({ message }) => message).filter((message) => message.includes("no node announces"));
  };

  beforeAll(async () => {
    cluster = await BareCluster.start({
      stack: "dual",
      server: true,
      settings: { loadBalancer: true, serviceSubnetIpv6: "fd00:10:96::/112" },
    });
    const pods = [await cluster.addPod("web", "node", { app: "web" })];
    cluster.apply(
      endpoints("web", pods),
      endpointsIpv6("web", pods),
      poolOf("lb", `${VIP.IPv4}/32`, 32),
      poolOf("lb6", `${VIP.IPv6}/128`, 128),
      web,
    );
    await until("both addresses to be announced", async () => Object.keys(await holders()).length === 2);
  });
  afterAll(() => cluster?.close());

  test("a Service of both families has an address of each in its status, and clients reach it at both", async () => {
    const { status } = await cluster.at<{ status: unknown }>("/api/v1/namespaces/default/services/web");
    expect(status).toEqual({
      loadBalancer: {
        ingress: [
          { ip: VIP.IPv4, ipMode: "VIP" },
          { ip: VIP.IPv6, ipMode: "VIP" },
        ],
      },
    });
    expect(await cluster.see("client1", `${VIP.IPv4}:80`)).toBe(`allowed default/web saw ${clients.client1}`);
    expect(await cluster.see("client1", `[${VIP.IPv6}]:80`)).toMatch(/^allowed default\/web saw fd00:172:31:1::/);
  });

  test("a drained node hands its addresses over at once", async () => {
    await nodeIs("master", { cordoned: true });
    await until("the other node to have both", () => hasAll("node"));
    await nodeIs("master", {});
    const { after, starved } = await reached("IPv4");
    expect(after - starved).toBeLessThan(5_000);
  });

  test("an agent that ends hands its addresses over at once, and takes none back when it starts again", async () => {
    const ended = cluster.endAgent("node");
    await until("the other node to have both", () => hasAll("master"));
    await ended;
    await cluster.startAgent("node");
    expect(await hasAll("master")).toBe(true);
  });

  test("a Service with Local whose endpoints are on excluded nodes is told once, and announced again without the label", async () => {
    const policy = async (externalTrafficPolicy: string) => {
      const known = await cluster.at<KubernetesObject>("/api/v1/namespaces/default/services/web");
      cluster.apply({ ...known, spec: { ...(known["spec"] as object), externalTrafficPolicy } });
    };
    await nodeIs("node", { excluded: true });
    await policy("Local");
    await until("no node to have an address", async () => Object.values(await holders()).every((holder) => !holder));
    await until("the Event", async () => (await told()).length > 0);
    expect(await cluster.see("client1", `${VIP.IPv4}:80`)).not.toContain("allowed");
    await nodeIs("node", {});
    await until("the node with the endpoint to have both", () => hasAll("node"));
    for (const name of ["master", "node"] as const)
      await until(`${name} to take it back`, async () => cluster.log(name).includes("no longer: Service default/web"));
    expect(await cluster.see("client1", `${VIP.IPv4}:80`)).toBe(`allowed default/web saw ${clients.client1}`);
    expect(await told()).toEqual([
      expect.stringContaining(`no node announces ${VIP.IPv4}, ${VIP.IPv6}: the nodes with its ready endpoints (node)`),
    ]);
    await policy("Cluster");
  });

  test("where all nodes are excluded, as in a cluster of one of kubeadm's, each announces as if none were", async () => {
    await nodeIs("master", { excluded: true });
    for (const [cordoned, other] of [
      ["node", "master"],
      ["master", "node"],
    ] as const) {
      await nodeIs(other, { excluded: true });
      await nodeIs(cordoned, { excluded: true, cordoned: true });
      await until("the other node to have both", () => hasAll(other));
      for (const address of [VIP.IPv4, `[${VIP.IPv6}]`])
        expect(await cluster.see("client1", `${address}:80`)).toContain("allowed default/web");
    }
    await nodeIs("master", {});
    await until("the node without the label to have both", () => hasAll("master"));
    await nodeIs("node", {});
  });

  test("clients reach another node within 3 s after the one that announced is cut off, and learn where it is", async () => {
    for (const family of ["IPv4", "IPv6"] as const) await reached(family);
    expect(await neighbour(VIP.IPv4)).toBe(await macOf("master"));
    expect(await neighbour(VIP.IPv6)).toBe(await macOf("master"));
    await cluster.run("master", ["ip", "link", "set", "eth0", "down"]);
    const [ipv4, ipv6] = await Promise.all([reached("IPv4"), reached("IPv6")]);
    console.log(`reached after ${Math.round(ipv4.after)} ms by IPv4, ${Math.round(ipv6.after)} ms by IPv6`);
    for (const { after, starved } of [ipv4, ipv6]) expect(after - starved).toBeLessThan(3_000);
    expect(await neighbour(VIP.IPv4)).toBe(await macOf("node"));
    expect(await neighbour(VIP.IPv6)).toBe(await macOf("node"));
    expect(await hasAll("node")).toBe(true);
  });
});
