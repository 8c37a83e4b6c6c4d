import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { BareCluster, until } from "./cluster/bare-cluster.ts";
import { endpoints, type NodeName, service } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { serveProbes } from "./traffic/serving.ts";
import type { Asked, Observed } from "./traffic/socket-client.ts";

/** Where an answer must come: a busy server takes its time. */
const PATIENT_MS = 60_000;

const client = join(import.meta.dirname, "traffic", "socket-client.ts");

interface Watched {
  /** So far, line by line. */
  observed: () => Observed[];
}

/** Watches a program's socket. */
function watch(cluster: BareCluster, where: Where, asked: Asked): Watched {
  const enter = where.pod ? ["nsenter", `--net=/run/netns/${where.pod}`] : [];
  const program = cluster.spawn(where.node, [...enter, process.execPath, client, JSON.stringify(asked)]);
  let text = "";
  program.stdout?.on("data", (more) => {
    text += more;
  });
  onTestFinished(() => void program.kill());
  const lines = () => text.split("\n").slice(0, -1);
  return { observed: () => lines().map((line) => JSON.parse(line) as Observed) };
}

/** Runs a program's socket on a node, or in the network of a pod of it. */
async function ask(cluster: BareCluster, where: Where, asked: Asked): Promise<Observed[]> {
  const enter = where.pod ? ["nsenter", `--net=/run/netns/${where.pod}`] : [];
  const output = await cluster.run(where.node, [...enter, process.execPath, client, JSON.stringify(asked)]);
  return output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Observed);
}

interface Where {
  node: NodeName;
  pod?: string;
}

const CLUSTER = "10.96.0.10:80";
const NODE_PORT = "172.31.1.8:30604";

describe("sockets that connect to services", () => {
  let cluster: BareCluster;
  let web: Placed;
  let peer: Placed;

  beforeAll(async () => {
    cluster = await BareCluster.start();
    web = await cluster.addPod("web", "node", { app: "web" });
    peer = await cluster.addPod("peer", "master", { app: "peer" });
    const third = await cluster.addPod("third", "master", { app: "peer" });
    cluster.apply(
      service("web", { clusterIP: "10.96.0.10", nodePort: 30604 }),
      endpoints("web", [web]),
      service("dns", { clusterIP: "10.96.0.10", nodePort: 30604, protocol: "UDP" }),
      endpoints("dns", [web], "UDP"),
      service("many", { clusterIP: "10.96.0.20", nodePort: 30620, protocol: "UDP" }),
      endpoints("many", [web, peer, third], "UDP"),
    );
    // Other addresses go to a router, as in most networks; this one drops silently.
    await cluster.run("master", ["ip", "route", "replace", "default", "via", "172.31.1.55"]);
    await cluster.carriedOut();
  });
  afterAll(() => cluster?.close());

  const places: Record<string, Where> = {
    "the server's node": { node: "node" },
    "the other node": { node: "master" },
    "a pod of the other node": { node: "master", pod: "peer" },
    "the server's own pod": { node: "node", pod: "web" },
  };
  const cases = Object.keys(places).flatMap((place) =>
    (["tcp", "connected", "unconnected"] as const).flatMap((how) =>
      [CLUSTER, NODE_PORT].flatMap((to) => ([4, 6] as const).map((family) => ({ place, how, to, family }))),
    ),
  );

  test.each(cases)("$how to $to from $place by AF_INET$family", async ({ place, how, to, family }) => {
    const observed = await ask(cluster, places[place] as Where, { how, family, to: [to], silence: PATIENT_MS });
    const shown = family === 6 ? `::ffff:${to}` : to;
    const answer = { event: "answer", server: "default/web", saw: expect.any(String), from: shown };
    expect(observed).toEqual(how === "unconnected" ? [answer] : [{ event: "peer", address: shown }, answer]);
  });

  test.each([4, 6] as const)("a flow of an unconnected AF_INET%i socket stays with one backend", async (family) => {
    for (const where of Object.values(places)) {
      const asked = { how: "unconnected", family, to: ["10.96.0.20:80"], count: 20, silence: PATIENT_MS } as const;
      const observed = await ask(cluster, where, asked);
      expect(new Set(observed.map((one) => one.event === "answer" && one.server)).size).toBe(1);
      expect(observed).toHaveLength(20);
    }
  });

  // A socket remembers the backends of 16 addresses (bpf/shared/socket.h).
  test("flows of one unconnected socket of a pod to many services each stay with their backend", async () => {
    const clusterIPs = Array.from({ length: 20 }, (_, index) => `10.96.2.${index}`);
    const objects = clusterIPs.flatMap((clusterIP, index) => [
      service(`one-of-${index}`, { clusterIP, nodePort: 30720 + index, protocol: "UDP" }),
      endpoints(`one-of-${index}`, [web, peer], "UDP"),
    ]);
    cluster.apply(...objects);
    await cluster.carriedOut();
    const round = clusterIPs.map((clusterIP) => `${clusterIP}:80`);
    const to = [...round, ...round];
    for (const family of [4, 6] as const) {
      const asked = { how: "unconnected", family, to, silence: PATIENT_MS } as const;
      const observed = await ask(cluster, { node: "master", pod: "third" }, asked);
      const answers = observed.map((one) =>
        one.event === "answer" ? [one.server, one.from.replace("::ffff:", "")] : [],
      );
      expect(answers.map(([, from]) => from)).toEqual(to);
      expect(answers.slice(round.length)).toEqual(answers.slice(0, round.length));
    }
    cluster.remove(...objects);
    await cluster.carriedOut();
  });

  test.each([4, 6] as const)(
    "an unconnected AF_INET%i socket sees answers as from where it asked last",
    async (family) => {
      const to = [CLUSTER, `${web.address}:80`, NODE_PORT, `${web.address}:80`, CLUSTER];
      for (const where of Object.values(places).slice(0, 3)) {
        const observed = await ask(cluster, where, { how: "unconnected", family, to, silence: PATIENT_MS });
        expect(observed.map((one) => one.event === "answer" && one.from)).toEqual(
          to.map((place) => (family === 6 ? `::ffff:${place}` : place)),
        );
      }
    },
  );

  // As resolvers that try one server after the other do; the kernel asks no program when a socket is disconnected.
  test.each([4, 6] as const)("a disconnected AF_INET%i socket sees answers as they are", async (family) => {
    const program = `
      const socket = require("node:dgram").createSocket(process.argv[1] === "6" ? "udp6" : "udp4");
      const [service, pod] = process.argv.slice(2);
      let connected = true;
      socket.on("message", (_, { address }) => {
        console.log(address);
        if (!connected) return socket.close();
        connected = false;
        socket.disconnect();
        socket.send("?", 80, pod);
      });
      socket.connect(80, service, () => socket.send("?"));`;
    const shown = (address: string) => (family === 6 ? `::ffff:${address}` : address);
    const addresses = ["10.96.0.10", web.address].map(shown);
    for (const enter of [[], ["nsenter", "--net=/run/netns/peer"]]) {
      const argv = ["timeout", "60", process.execPath, "-e", program, `${family}`, ...addresses];
      expect((await cluster.run("master", [...enter, ...argv])).trim().split("\n")).toEqual(addresses);
    }
  });

  // getaddrinfo() connects a UDP socket to each address, at a port that it does not mean to use (glibc: that of the TCP service or 0, musl: 65535, Go: 53). An
  // address at which that fails goes behind one to which the pod has no route, and programs that try one address get that one.
  test("a resolver puts the cluster address that a pod can reach first; a datagram to a port that no service has is refused", async () => {
    const reachable = "10.96.0.20";
    await cluster.run("master", ["sh", "-c", `printf 'fd00:10:96::20 both\n${reachable} both\n' >> /etc/hosts`]);
    const program = `
      require("node:dns").lookup("both", (_, address) => console.log(address));
      const socket = require("node:dgram").createSocket("udp4");
      const failed = ({ code }) => { console.log(code); socket.close(); };
      socket.on("error", failed).connect(65535, "${reachable}", (error) => error ? failed(error) : socket.send("?"));`;
    const enter = ["nsenter", "--net=/run/netns/peer", "timeout", "60", process.execPath, "-e", program];
    expect((await cluster.run("master", enter)).trim().split("\n").sort()).toEqual([reachable, "ECONNREFUSED"]);
  });

  test("a pod with 48,000 connected UDP sockets keeps no other pod's socket from another backend", async () => {
    const moving = service("moved", { clusterIP: "10.96.1.3", nodePort: 30703, protocol: "UDP" });
    cluster.apply(moving, endpoints("moved", [web], "UDP"));
    await cluster.carriedOut();
    const asked = {
      how: "connected",
      family: 4,
      to: ["10.96.1.3:80"],
      count: 5_000,
      every: 100,
      persistent: true,
    } as const;
    const { observed } = watch(cluster, { node: "master", pod: "third" }, asked);
    const answeredBy = async (pod: string) =>
      observed().some((one) => one.event === "answer" && one.server === `default/${pod}`);
    await until("web to answer", () => answeredBy("web"));
    const hoard = `
      const { createSocket } = require("node:dgram");
      let missing = 16_000;
      const next = () => {
        const socket = createSocket("udp4");
        socket.connect(80, "10.96.0.10", () => (--missing ? next() : console.log("all are connected")));
      };
      next();`;
    const enter = ["nsenter", "--net=/run/netns/peer"];
    const ports = "echo 1024 65535 > /proc/sys/net/ipv4/ip_local_port_range"; // a pod may have them
    await cluster.run("master", [...enter, "sh", "-c", ports]);
    for (let program = 0; program < 3; program++) {
      const hoarder = cluster.spawn("master", [...enter, process.execPath, "-e", hoard]);
      onTestFinished(() => void hoarder.kill());
      let said = "";
      for (const stream of [hoarder.stdout, hoarder.stderr])
        stream?.on("data", (text) => {
          said += text;
        });
      await until(
        "its sockets to be connected",
        async () => said.includes("all are connected"),
        () => said,
      );
    }
    cluster.apply(endpoints("moved", [peer], "UDP"));
    await until(
      "peer to answer",
      () => answeredBy("peer"),
      () => JSON.stringify(observed().slice(-5)),
    );
    cluster.remove(moving, endpoints("moved", [], "UDP"));
    await cluster.carriedOut();
  });

  test("a node port answers on the node's loopback, and on no pod's", async () => {
    for (const address of ["127.0.0.1", "127.8.9.10", "0.0.0.0"]) {
      for (const how of ["tcp", "connected", "unconnected"] as const) {
        const to = [`${address}:30604`];
        const host = await ask(cluster, { node: "master" }, { how, family: 4, to, silence: PATIENT_MS });
        expect(host.at(-1), `${how} to ${to} from the node`).toMatchObject({ event: "answer", server: "default/web" });
        const pod = await ask(cluster, { node: "master", pod: "peer" }, { how, family: 4, to });
        // An unconnected socket gets no error for a refused datagram (ip(7), IP_RECVERR).
        const refused = how === "unconnected" ? { event: "silence" } : { event: "error", code: "ECONNREFUSED" };
        expect(pod.at(-1), `${how} to ${to} from a pod`).toEqual(refused);
      }
    }
  });

  test("a pod reaches its own server on its loopback, even if a node port has the same number", async () => {
    await serveProbes(cluster, peer, "default/own", "tcp:30604", "udp:30604");
    for (const how of ["tcp", "unconnected"] as const) {
      for (const family of [4, 6] as const) {
        const asked = { how, family, to: ["127.0.0.1:30604"] };
        const answers = async () => {
          const [last] = (await ask(cluster, { node: "master", pod: "peer" }, asked)).slice(-1);
          return last?.event === "answer" ? last.server : "";
        };
        await until("the pod's own server", async () => (await answers()) === "default/own");
        expect(await answers()).toBe("default/own");
      }
    }
  });

  describe.each([
    { what: "a node", where: { node: "master" } },
    { what: "a pod", where: { node: "master", pod: "third" } },
  ] as { what: string; where: Where }[])("a connected UDP socket of $what", ({ what, where }) => {
    const ports = what === "a node" ? { cluster: "10.96.1.1", node: 30701 } : { cluster: "10.96.1.2", node: 30702 };
    const moving = service("moving", { clusterIP: ports.cluster, nodePort: ports.node, protocol: "UDP" });
    const asked = {
      how: "connected",
      to: [`${ports.cluster}:80`],
      count: 5_000,
      every: 100,
      persistent: true,
    } as const;
    const answeredBy = (observed: Observed[], pod: string) =>
      observed.some((one) => one.event === "answer" && one.server === `default/${pod}`);

    const forget = async () => {
      cluster.remove(moving, endpoints("moving", [], "UDP"));
      await cluster.carriedOut();
    };

    test.each([4, 6] as const)("of AF_INET%i reaches another backend when its own is gone", async (family) => {
      cluster.apply(moving, endpoints("moving", [web], "UDP"));
      await cluster.carriedOut();
      const { observed } = watch(cluster, where, { ...asked, family });
      await until("web to answer", async () => answeredBy(observed(), "web"));
      cluster.apply(endpoints("moving", [peer], "UDP"));
      await until(
        "peer to answer",
        async () => answeredBy(observed(), "peer"),
        () => JSON.stringify(observed().slice(-5)),
      );
      await forget();
    });

    test.each([4, 6] as const)("of AF_INET%i reaches a service that is created later", async (family) => {
      const { observed } = watch(cluster, where, { ...asked, family });
      await until(
        "silence",
        async () => observed().some(({ event }) => event === "silence"),
        () => JSON.stringify(observed()),
      );
      expect(observed().some(({ event }) => event === "answer")).toBe(false);
      cluster.apply(moving, endpoints("moving", [web], "UDP"));
      await until(
        "web to answer",
        async () => answeredBy(observed(), "web"),
        () => JSON.stringify(observed().slice(-5)),
      );
      await forget();
    });
  });
});
