import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster, type From, until } from "./cluster/bare-cluster.ts";
import { clients, endpoints, felix, type NodeName, nodes, service } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import type { Asked } from "./traffic/socket-client.ts";

const client = join(import.meta.dirname, "traffic", "socket-client.ts");

const WEB = "198.51.100.7";
const DNS = "198.51.100.8";
/** An address of the same service, but not a load balancer's. */
const EXTERNAL = "198.51.100.9";

let cluster: BareCluster;
let near: Placed;

beforeAll(async () => {
  cluster = await BareCluster.start({ settings: { serviceMetrics: {} } });
  const far = await cluster.addPod("far", "node", { app: "far" });
  near = await cluster.addPod("near", "master", { app: "near" });
  cluster.apply(endpoints("web", [far]), endpoints("dns", [far], "UDP"));
  for (const client of ["client1", "client2"] as const)
    for (const address of [WEB, DNS, EXTERNAL])
      await cluster.run(client, ["ip", "route", "add", address, "via", nodes.master]);
});
afterAll(() => cluster?.close());

/** Both agents, local and remote backends, translation of sockets and of packets. */
describe.each([
  { mode: "DSR", sockets: "All", sourcePort: 40_053 },
  { mode: "Tunnel", sockets: "HostOnly", sourcePort: 40_054 },
] as const)("load balancer source ranges, return mode $mode, sockets $sockets", ({ mode, sockets, sourcePort }) => {
  beforeAll(async () => {
    cluster.apply(felix({ "ebpf-dataplane.io/socket-translation": sockets }, { bpfExternalServiceMode: mode }));
    balance([]);
    await cluster.carriedOut();
  });

  /** Both services admit these. */
  function balance(ranges: readonly string[]): void {
    const spec = { type: "LoadBalancer", loadBalancerSourceRanges: ranges };
    const web = { clusterIP: "10.96.0.10", nodePort: 30604, spec: { ...spec, externalIPs: [EXTERNAL] } };
    const dns = { clusterIP: "10.96.0.11", nodePort: 30053, protocol: "UDP", spec } as const;
    cluster.apply(
      { ...service("web", web), status: { loadBalancer: { ingress: [{ ip: WEB }] } } },
      { ...service("dns", dns), status: { loadBalancer: { ingress: [{ ip: DNS }] } } },
    );
  }

  const see = (from: From, to = `${WEB}:80`) => cluster.see(from, to);
  const ask = (from: From, to = `${DNS}:80`) => cluster.see(from, to, { protocol: "udp" });
  const refused = expect.not.stringMatching(/^allowed/);

  async function restrictedTo(...ranges: string[]): Promise<void> {
    balance(ranges);
    await cluster.carriedOut();
  }

  test("a client in a range is served by a backend of the other node, one outside is dropped and counted", async () => {
    await restrictedTo("203.0.113.0/24", `${clients.client1}/32`);
    const dropped = async (node: NodeName) => (await cluster.outcomes(node)).drop_source_range ?? 0;
    const before = { master: await dropped("master"), node: await dropped("node") };
    expect(await see("client1")).toBe(`allowed default/far saw ${clients.client1}`);
    expect(await ask("client1")).toBe(`allowed default/far saw ${clients.client1}`);
    expect(await see("client2")).toBe("dropped");
    expect(await ask("client2")).toBe("dropped");
    expect(await dropped("master")).toBeGreaterThan(before.master + 1);
    expect(await dropped("node")).toBe(before.node);
  });

  test("only the load balancer's address is restricted", async () => {
    await restrictedTo(`${clients.client1}/32`);
    for (const place of [`${EXTERNAL}:80`, `${nodes.master}:30604`, `${nodes.node}:30604`])
      expect(await see("client2", place), place).toBe(`allowed default/far saw ${clients.client2}`);
    expect(await see("default/near", "10.96.0.10:80")).toBe(`allowed default/far saw ${near.address}`);
    expect(await see("node", "10.96.0.10:80")).toMatch(/^allowed/);
  });

  test("pods and nodes are treated like other clients", async () => {
    await restrictedTo(`${clients.client1}/32`);
    for (const from of ["default/near", "default/far", "master", "node"] as const) {
      expect(await see(from), from).toEqual(refused);
      expect(await ask(from), from).toEqual(refused);
    }
    await restrictedTo(`${clients.client1}/32`, `${near.address}/32`, `${nodes.node}/32`);
    for (const from of ["default/near", "node"] as const) {
      expect(await see(from), from).toMatch(/^allowed/);
      expect(await ask(from), from).toMatch(/^allowed/);
    }
    for (const from of ["default/far", "master"] as const) expect(await see(from), from).toEqual(refused);
  });

  /** Of the service web, as a node's metrics say. */
  async function counted(node: "master" | "node") {
    const page = await cluster.metrics(node);
    const value = (name: string, labels: string) =>
      Number(page.match(new RegExp(`^ebpf_dataplane_${name}{${labels}} (\\d+)$`, "m"))?.[1] ?? 0);
    const web = 'namespace="default",service="web"';
    return {
      connections: value("service_connections_total", web),
      outOfRange: value("service_refusals_total", `${web},reason="drop_source_range"`),
    };
  }

  test("connections and refusals have the service's name, each on the node where it is asked for", async () => {
    await restrictedTo(`${clients.client1}/32`);
    await setTimeout(1_100); // scrapes within a second share one answer
    const before = { master: await counted("master"), node: await counted("node") };
    for (let time = 0; time < 3; time++) expect(await see("client1")).toMatch(/^allowed/);
    for (let time = 0; time < 2; time++) expect(await see("default/near", "10.96.0.10:80")).toMatch(/^allowed/);
    expect(await see("default/near")).toEqual(refused);
    const more = async (node: "master" | "node") => {
      const { connections, outOfRange } = await counted(node);
      return [connections - before[node].connections, outOfRange > before[node].outOfRange];
    };
    await setTimeout(1_100);
    expect({ master: await more("master"), node: await more("node") }).toEqual({ master: [5, true], node: [0, false] });
  });

  /** The bytes of requests and answers of a service, as a node's metrics say. */
  async function carried(node: "master" | "node", name: string): Promise<number[]> {
    const page = await cluster.metrics(node);
    return ["request", "answer"].map((direction) => {
      const line = `ebpf_dataplane_service_bytes_total{namespace="default",service="${name}",direction="${direction}"} `;
      return Number(page.split(line)[1]?.split("\n")[0] ?? 0);
    });
  }

  test("what connections carry is counted once in each direction, of sockets that were given a backend, too", async () => {
    await restrictedTo("172.31.1.0/24", "10.244.0.0/16");
    const sizes = { web: 20_000, dns: 1_000 };
    const places = [
      ["master", "web"],
      ["node", "web"],
      ["master", "dns"],
      ["node", "dns"],
    ] as const;
    const all = () => Promise.all(places.map(([node, name]) => carried(node, name)));
    /** How often as much as was sent goes each way: all headers together are less. */
    const measured = async () => {
      await setTimeout(1_100); // scrapes within a second share one answer
      const before = await all();
      for (const [from, to] of [
        ["client1", `${WEB}:80`],
        ["default/near", "10.96.0.10:80"],
      ] as const)
        expect(await cluster.probe(from, { to, size: sizes.web })).toMatchObject([{ echoed: sizes.web }]);
      const asked = { to: "10.96.0.11:80", protocol: "udp", size: sizes.dns } as const;
      expect(await cluster.probe("default/near", asked)).toMatchObject([{ echoed: sizes.dns }]);
      await setTimeout(1_100);
      return (await all()).map((now, place) =>
        now.map((bytes, way) => Math.floor((bytes - (before[place]?.[way] ?? 0)) / sizes[places[place]?.[1] ?? "web"])),
      );
    };
    const direct = mode === "DSR" ? 1 : 0;
    const expected = [
      [2, 2 - direct],
      [0, direct],
      [1, 1],
      [0, 0],
    ];
    let seen: number[][] = [];
    // A busy computer sends some bytes twice: the kernel again what is acknowledged late, the prober all that left too late for an echo.
    await until(
      "what was sent to be counted once",
      async () => {
        seen = await measured();
        return JSON.stringify(seen) === JSON.stringify(expected);
      },
      () => `seen: ${JSON.stringify(seen)}`,
    );
  });

  test("a UDP flow ends when its client is no longer in a range", async () => {
    await restrictedTo("172.31.1.0/24", "10.244.0.0/16");
    const flow = { to: `${DNS}:80`, protocol: "udp", sourcePort } as const;
    const seen = async (from: From) => (await cluster.probe(from, flow))[0]?.verdict;
    for (const from of ["client2", "default/near"] as const) expect(await seen(from)).toBe("allowed");
    balance([`${clients.client1}/32`]);
    await cluster.carriedOut();
    for (const from of ["client2", "default/near"] as const)
      await until(`the flow of ${from} to end`, async () => (await seen(from)) !== "allowed");
  });

  // Sockets that the hooks skip send ordinary packets.
  const lasting = [
    { how: "unconnected", error: "EPERM" },
    { how: "connected", error: "ECONNABORTED" },
  ] as const;
  test.each(sockets === "All" ? lasting : [])(
    "$how sockets of pods and nodes send no more then",
    async ({ how, error }) => {
      await restrictedTo("172.31.1.0/24", "10.244.0.0/16");
      const asked = JSON.stringify({ how, family: 4, to: [`${DNS}:80`], count: 5_000, every: 100 } satisfies Asked);
      const programs = [["nsenter", "--net=/run/netns/near"], []].map((enter) =>
        cluster.spawn("master", [...enter, process.execPath, client, asked]),
      );
      const seen = programs.map((program) => {
        let printed = "";
        program.stdout?.on("data", (text) => {
          printed += text;
        });
        return () => printed;
      });
      await until("answers", async () => seen.every((printed) => printed().includes('"answer"')));
      balance([`${clients.client1}/32`]);
      await until(
        "errors",
        async () => seen.every((printed) => printed().includes(error)),
        () => seen.map((printed) => printed()).join("\n"),
      );
      // What they send and receive would be counted in later tests.
      for (const program of programs) program.kill();
    },
  );

  test("an invalid list admits no client", async () => {
    await restrictedTo("0.0.0.0/0");
    expect(await see("client2")).toMatch(/^allowed/);
    balance(["0.0.0.0/0", "172.31.1.55"]);
    await cluster.carriedOut();
    expect(await see("client1")).toBe("dropped");
  });
});
