import { afterAll, beforeAll, expect, test } from "vitest";
import { age } from "./cluster/aging.ts";
import { BareCluster, until } from "./cluster/bare-cluster.ts";
import { endpoints, returnMode, service } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { serve } from "./traffic/serving.ts";

// Flows through an entry node, which sees only the client's packets.
let cluster: BareCluster;
let near: Placed;
let far: Placed;

const udp = service("udp", { clusterIP: "10.96.0.11", nodePort: 30053, protocol: "UDP" });
const inPod = ({ name }: Placed, command: string[]) => ["nsenter", `--net=/run/netns/${name}`, ...command];
const script = (source: string, ...args: string[]) => [process.execPath, "-e", source, ...args];
const ports = (first: number) => Array.from({ length: 10 }, (_, index) => first + index);

/** A service whose pods listen on another port than the probe server's. */
function at(name: string, clusterIP: string, nodePort: number, port: number, backends: Placed[]) {
  const slice = { ...endpoints(name, backends), ports: [{ name: "web", protocol: "TCP", port }] };
  return [service(name, { clusterIP, nodePort }), slice];
}

beforeAll(async () => {
  cluster = await BareCluster.start();
  [near, far] = await Promise.all([
    cluster.addPod("near", "master", { app: "web" }),
    cluster.addPod("far", "node", { app: "web" }),
  ]);
  cluster.apply(returnMode("DSR"), udp, endpoints("udp", [near, far], "UDP"));
  await cluster.carriedOut();
});
afterAll(() => cluster?.close());

async function ask(sourcePort: number): Promise<string> {
  const [result] = await cluster.probe("client1", { to: "172.31.1.8:30053", protocol: "udp", sourcePort });
  return result?.server ?? result?.verdict ?? "nothing";
}

test("a refused client that retries from the same port may reach another backend", async () => {
  const listening = `require("node:net").createServer((socket) => socket.on("error", () => {}).end("served")).listen(83)`;
  await serve(cluster, far, script(listening), "tcp:83");
  const silent = await cluster.addPod("silent", "node", { app: "web" }); // nothing listens on its port 83
  cluster.apply(...at("half", "10.96.0.13", 30083, 83, [far, silent]));
  const retry = `
    const [port, tries] = [+process.argv[1], 25];
    const attempt = (left) => {
      const socket = require("node:net").connect({ host: "172.31.1.8", port: 30083, localPort: port });
      socket.on("data", (text) => { console.log(String(text)); process.exit(); });
      socket.on("error", () => left > 0 ? setTimeout(attempt, 30, left - 1) : console.log("refused"));
    };
    attempt(tries);`;
  await until("the service", async () => (await cluster.see("client1", "172.31.1.8:30083")) !== "rejected");
  const seen = await Promise.all(ports(42_001).map((port) => cluster.run("client1", script(retry, String(port)))));
  expect(seen.map((text) => text.trim())).toEqual(ports(42_001).map(() => "served"));
});

test("a UDP client that was silent for 100 s keeps its backend, as with kube-proxy", async () => {
  const before = await Promise.all(ports(43_001).map(ask));
  expect(new Set(before)).toEqual(new Set(["default/near", "default/far"]));
  expect(await age(cluster, "master", 100)).toBeGreaterThan(0);
  expect(await Promise.all(ports(43_001).map(ask))).toEqual(before);
});

test("a half-closed connection still gets an answer that takes half an hour", async () => {
  const slow = `require("node:net").createServer({ allowHalfOpen: true }, (socket) => socket.on("error", () => {}).resume().on("end", () => {
    setTimeout(() => socket.write("late"), 4000);
    setTimeout(() => socket.end("later"), 4500);
  })).listen(84)`;
  await serve(cluster, far, script(slow), "tcp:84");
  cluster.apply(...at("slow", "10.96.0.14", 30084, 84, [far]));
  await until("the service", async () => (await cluster.see("client1", "172.31.1.8:30084")) !== "rejected");
  const request = `
    const socket = require("node:net").connect({ host: "172.31.1.8", port: 30084, allowHalfOpen: true }, () => socket.end("?"));
    socket.on("data", (text) => process.stdout.write(String(text) + " "));
    socket.on("error", (error) => console.log(error.code));
    socket.on("end", () => console.log("end"));`;
  const asked = cluster.run("client1", script(request));
  const halfClosed = inPod(far, ["ss", "-Htn", "state", "close-wait", "sport", "=", ":84"]);
  await until("the half-closed connection", async () =>
    (await cluster.run("node", halfClosed)).includes("172.31.1.55"),
  );
  expect(await age(cluster, "master", 1800)).toBeGreaterThan(0);
  expect((await asked).trim()).toBe("late later end");
});
