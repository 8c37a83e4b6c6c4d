// Services that change what clients can see of them, their families, traffic policy, type and node port, while clients use them. What goes on and what
// does not is as with kube-proxy: a TCP connection depends on its pod alone, a datagram goes where its Service would send it now.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { BareCluster, type From } from "./cluster/bare-cluster.ts";
import { felix, type KubernetesObject, nodes, nodesIpv6 } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { HeldFlows } from "./traffic/held-flows.ts";
import { holdFlows } from "./traffic/moving.ts";
import { serveEchoes } from "./traffic/serving.ts";

type Family = "IPv4" | "IPv6";
const BOTH: readonly Family[] = ["IPv4", "IPv6"];
/** Flows of each protocol that a client has at one place. */
const COUNT = 3;

describe.each(["All", "HostOnly"] as const)("a Service that changes in use, socket translation %s", (sockets) => {
  let cluster: BareCluster;
  let near: Placed;
  let far: Placed;
  let asker: Placed;
  // A Service of its own for each test: what a port was used for is remembered.
  let number = 0;
  const applied = new Set<string>();

  beforeAll(async () => {
    cluster = await BareCluster.start({ stack: "dual" });
    [near, far, asker] = await Promise.all([
      cluster.addPod("near", "master", { app: "turning" }),
      cluster.addPod("far", "node", { app: "turning" }),
      cluster.addPod("asker", "master", { app: "asker" }),
    ]);
    for (const pod of [near, far]) await serveEchoes(cluster, pod);
    cluster.apply(felix({ "ebpf-dataplane.io/socket-translation": sockets }));
  });
  afterAll(() => cluster?.close());
  beforeEach(() => {
    number++;
  });

  const ports = () => ({ tcp: 30_400 + 10 * number, udp: 30_401 + 10 * number });
  const clusterIP = (family: Family) => (family === "IPv4" ? `10.96.0.${60 + number}` : `fd00:10:96::${60 + number}`);
  const place = (family: Family, address: string) => (family === "IPv4" ? address : `[${address}]`);
  const master = { IPv4: nodes.master, IPv6: nodesIpv6.master };

  interface Wanted {
    readonly name?: string;
    readonly families?: readonly Family[];
    readonly backends?: readonly Placed[];
    readonly spec?: Record<string, unknown>;
    /** Without: it has no node ports. */
    readonly hasNodePorts?: boolean;
  }

  /** Puts the Service, and what its controllers write for it, in place of what was there. */
  async function become(wanted: Wanted): Promise<void> {
    const all = objectsOf(wanted);
    const { name = "turning" } = wanted;
    const former = BOTH.map((family) => slice(name, family, [])).filter(({ metadata }) =>
      applied.delete(metadata.name),
    );
    for (const { metadata } of all) applied.add(metadata.name);
    cluster.apply(...all);
    cluster.remove(...former.filter(({ metadata }) => !applied.has(metadata.name)));
    await cluster.carriedOut();
  }

  function objectsOf({
    name = "turning",
    families = BOTH,
    backends = [near, far],
    spec = {},
    hasNodePorts = true,
  }: Wanted) {
    const own = `${name}-${number}`;
    const port = (protocol: "TCP" | "UDP", at: number, nodePort: number) => ({
      ...{ name: protocol.toLowerCase(), protocol, port: at, targetPort: at },
      ...(hasNodePorts && { nodePort }),
    });
    const addresses = families.map(clusterIP);
    const service: KubernetesObject = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: own, namespace: "default", uid: own },
      spec: {
        type: hasNodePorts ? "NodePort" : "ClusterIP",
        ...(name === "turning"
          ? { clusterIP: addresses[0], clusterIPs: addresses }
          : { clusterIP: `10.96.1.${number}` }),
        ipFamilies: families,
        ports: [port("TCP", 82, ports().tcp), port("UDP", 80, ports().udp)],
        ...spec,
      },
    };
    return [service, ...families.map((family) => slice(name, family, backends))];
  }

  function slice(name: string, family: Family, backends: readonly Placed[]): KubernetesObject {
    const own = `${name}-${number}`;
    return {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: {
        name: `${own}-${family.toLowerCase()}`,
        namespace: "default",
        labels: { "kubernetes.io/service-name": own },
      },
      addressType: family,
      ports: [
        { name: "tcp", protocol: "TCP", port: 82 },
        { name: "udp", protocol: "UDP", port: 80 },
      ],
      endpoints: backends.map(({ address, addressIpv6, node }) => ({
        addresses: [family === "IPv4" ? address : addressIpv6],
        nodeName: node,
        conditions: { ready: true, serving: true, terminating: false },
      })),
    };
  }

  /** Of client1 at master's port, and of a pod at the cluster address. */
  async function holdAll(family: Family): Promise<{ outside: HeldFlows; inside: HeldFlows }> {
    const outside = new HeldFlows(`${family} of a client`, holdFlows(cluster, master[family], COUNT, ports()));
    const inside = new HeldFlows(`${family} of a pod`, holdFlows(cluster, clusterIP(family), COUNT, undefined, asker));
    await Promise.all([outside.begin(), inside.begin()]);
    return { outside, inside };
  }

  const see = (
    from: From,
    family: Family,
    protocol: "tcp" | "udp",
    at: "node port" | "cluster address" = "node port",
  ) => {
    const to =
      at === "node port"
        ? `${place(family, master[family])}:${ports()[protocol]}`
        : `${place(family, clusterIP(family))}:${protocol === "tcp" ? 82 : 80}`;
    return cluster.see(from, to, { protocol });
  };

  /** A new connection and a new flow. What an echo server sends back is no answer of a probe server's, but one. */
  async function expectNew(family: Family, verdict: "allowed" | "rejected" | "dropped"): Promise<void> {
    for (const protocol of ["tcp", "udp"] as const)
      expect(await see("client1", family, protocol), `${family} ${protocol} of a client`).toMatch(
        new RegExp(`^${verdict}`),
      );
  }

  async function expectServedInside(family: Family): Promise<void> {
    for (const protocol of ["tcp", "udp"] as const)
      expect(await see("default/asker", family, protocol, "cluster address"), `${family} ${protocol} of a pod`).toMatch(
        /^allowed/,
      );
  }

  test("from IPv4 to both families, back, and to IPv6 alone: flows of a family that it has go on, of another one the connections alone", async () => {
    await become({ families: ["IPv4"] });
    const old = await holdAll("IPv4");
    await expectNew("IPv6", "rejected");

    await become({ families: ["IPv4", "IPv6"] });
    for (const family of BOTH) await expectNew(family, "allowed");
    await expectServedInside("IPv6");
    const young = await holdAll("IPv6");
    for (const held of [old.outside, old.inside]) await held.goesOn();

    await become({ families: ["IPv4"] });
    for (const held of [old.outside, old.inside]) await held.goesOn();
    for (const held of [young.outside, young.inside]) await held.goesOnByTcpAlone();
    await expectNew("IPv6", "rejected");

    await become({ families: ["IPv6"] });
    for (const held of [old.outside, old.inside]) await held.goesOnByTcpAlone();
    for (const held of [young.outside, young.inside]) await held.grow(["tcp", "udp"], 3);
    await expectNew("IPv4", "rejected");
    await expectNew("IPv6", "allowed");
    await expectServedInside("IPv6");
  });

  test.each(BOTH)(
    "external traffic policy over %s: what is open goes on, new connections follow it",
    async (family) => {
      await become({});
      const { outside, inside } = await holdAll(family);
      const serversOf = async (from: From, at: "node port" | "cluster address") => {
        const seen = [];
        for (let time = 0; time < 12; time++) seen.push((await see(from, family, "udp", at)).split(" ")[1]);
        return [...new Set(seen)].sort();
      };
      const all = ["default/far", "default/near"];

      await become({ spec: { externalTrafficPolicy: "Local" } });
      for (const held of [outside, inside]) await held.goesOn();
      expect(await serversOf("client1", "node port")).toEqual(["default/near"]);
      expect(await serversOf("default/asker", "cluster address")).toEqual(all);

      await become({ spec: { externalTrafficPolicy: "Local", internalTrafficPolicy: "Local" } });
      for (const held of [outside, inside]) await held.goesOn();
      expect(await serversOf("default/asker", "cluster address")).toEqual(["default/near"]);

      await become({ spec: { externalTrafficPolicy: "Local" }, backends: [far] });
      await expectNew(family, "dropped");
      await outside.grow(["tcp"], 3); // also those of the pod that it does not select any more
      await expectServedInside(family);

      await become({});
      await expectNew(family, "allowed");
      await outside.grow(["tcp", "udp"], 3);
    },
  );

  test.each(BOTH)(
    "its type, over %s: without node ports their connections go on, and their datagrams are refused",
    async (family) => {
      await become({});
      const { outside, inside } = await holdAll(family);
      await become({ hasNodePorts: false });
      await inside.goesOn();
      await outside.goesOnByTcpAlone();
      await expectNew(family, "rejected");

      await become({ spec: { type: "LoadBalancer" } });
      await inside.goesOn();
      await outside.grow(["tcp", "udp"], 3);
      await expectNew(family, "allowed");
    },
  );

  test.each(BOTH)(
    "a node port that another Service gets, over %s: datagrams move to that one, connections stay",
    async (family) => {
      await become({ backends: [near] });
      const { outside, inside } = await holdAll(family);
      await become({ backends: [near], hasNodePorts: false });
      await become({
        name: "other",
        backends: [far],
        families: [family],
        spec: { clusterIP: family === "IPv4" ? `10.96.1.${number}` : `fd00:10:96:0:1::${number}` },
      });
      await inside.goesOn();
      await outside.grow(["tcp", "udp"], 3);
      expect(new Set(outside.now.servers)).toEqual(new Set(["default/far"]));
      expect(outside.now.ended.filter((what) => what.startsWith("tcp"))).toEqual([]);
      expect(await see("client1", family, "udp")).toMatch(/^allowed default\/far/);
    },
  );
});
