// The load generator on a machine, against a server on another one that records its clients.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createBareLab } from "../../lab/machines/bare.ts";
import { enterArgv, runIn } from "../../lab/machines/enter.ts";
import { processesInNamespaces } from "../../lab/machines/processes.ts";
import { removeLab } from "../../lab/machines/removal.ts";
import { machineNamespace } from "../../lab/names.ts";
import { buildLoad, loadIsFresh } from "../../tools/programs.ts";
import { type Load, type LoadOptions, openLoad, type Round } from "./load.ts";

const LAB = `load${process.pid.toString(36)}`;
const SERVER = "172.31.1.8";
const CLIENT = "172.31.1.55";
const program = join(import.meta.dirname, "..", "..", "dist", "load");

const serverScript = `
let ports = [];
require("node:http").createServer((request, response) => {
  const { remoteAddress, remotePort } = request.socket;
  if (request.url === "/ports") { response.end(JSON.stringify(ports)); ports = []; return; }
  ports.push(remotePort);
  if (request.url === "/missing") { response.statusCode = 404; response.end(); }
  else if (request.url === "/cut") { response.writeHead(200, { "Content-Length": 100 }); response.write("x", () => request.socket.end()); }
  else if (request.url === "/once") { response.setHeader("Connection", "close"); response.end("good bye"); }
  else if (request.url !== "/silent") response.end("welcome " + remoteAddress);
}).listen(80, () => console.log("listening"));
require("node:net").createServer((socket) => socket.resetAndDestroy()).listen(81);
`;
let server: ChildProcess;
const loads: Load[] = [];

beforeAll(async () => {
  if (!loadIsFresh()) await buildLoad(); // others run it, or pack it
  await createBareLab(LAB, [
    { name: "server", address: SERVER },
    { name: "client", address: CLIENT },
  ]);
  const [file, ...args] = enterArgv(LAB, "server", [process.execPath, "-e", serverScript]) as [string];
  server = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
  await once(server.stdout as NodeJS.ReadableStream, "data");
  await runIn(LAB, "client", ["ip", "route", "add", "unreachable", "10.99.0.0/24"]);
  // Nobody has this address; that it is not found is not said, whenever a generator gets a processor.
  const nobody = "neighbor add 172.31.1.99 lladdr 02:00:00:00:00:99 dev eth0 nud permanent";
  await runIn(LAB, "client", ["ip", ...nobody.split(" ")]);
});

afterEach(async () => {
  for (const load of loads.splice(0)) await load.close();
});

afterAll(async () => {
  server?.kill("SIGKILL");
  await removeLab(LAB);
});

function load(options: Partial<LoadOptions> = {}): Load {
  const opened = openLoad({
    enter: enterArgv(LAB, "client", []),
    program,
    concurrency: 1,
    timeoutMs: 60_000,
    ...options,
  });
  loads.push(opened);
  return opened;
}

const round = (firstPort: number, more: Partial<Round> = {}): Round => ({
  host: SERVER,
  port: 80,
  source: CLIENT,
  firstPort,
  connections: 20,
  path: "/",
  ...more,
});

/** Source ports that the server saw since the last request. */
async function portsSeen(): Promise<number[]> {
  const script = `fetch("http://${SERVER}/ports").then(async (response) => console.log(await response.text()))`;
  return JSON.parse((await runIn(LAB, "client", [process.execPath, "-e", script])).stdout);
}

const range = (first: number, count: number): number[] => Array.from({ length: count }, (_, index) => first + index);
const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, "0");
const ascending = (left: number, right: number): number => left - right;

test.each([1, 4])(
  "with %i at a time every connection is answered, timed, and has its own source port",
  async (concurrency) => {
    await portsSeen();
    const first = 20_000 + 1000 * concurrency;
    const { nanoseconds, failures, elapsedNs, processorNs, bpfCounted } = await load({ concurrency }).round(
      round(first, { connections: 200 }),
    );
    expect(failures).toEqual({});
    expect(nanoseconds).toHaveLength(200);
    expect(nanoseconds.every((time) => time > 0 && time < elapsedNs)).toBe(true);
    expect(processorNs).toBeGreaterThan(0);
    expect(bpfCounted).toBe(false);
    expect((await portsSeen()).sort(ascending)).toEqual(range(first, 200));
  },
);

test("several requests on each connection are timed one by one, and the connection stays the same", async () => {
  await portsSeen();
  const asked = await load({ concurrency: 2 }).round(round(28_000, { connections: 2, requests: 50 }));
  expect(asked.failures).toEqual({});
  expect(asked.nanoseconds).toHaveLength(100);
  expect(asked.nanoseconds.every((time) => time > 0 && time < asked.elapsedNs)).toBe(true);
  const seen = (await portsSeen()).sort(ascending);
  expect(seen).toEqual([...Array(50).fill(28_000), ...Array(50).fill(28_001)]);
});

test("a server that ends each connection is noticed, and nothing is asked anew", async () => {
  await portsSeen();
  const { nanoseconds, failures } = await load().round(round(29_000, { connections: 1, requests: 9, path: "/once" }));
  expect(nanoseconds).toHaveLength(1);
  expect(failures.notTried).toBe(7);
  expect(Object.values(failures).reduce((sum, count) => sum + count, 0)).toBe(8);
  expect(await portsSeen()).toEqual([29_000]);
});

test("rounds follow one another; a port stays free for the client because the server closed first", async () => {
  const one = load();
  const results = await Promise.all([one.round(round(30_000)), one.round(round(30_020))]);
  expect(results.map(({ nanoseconds }) => nanoseconds.length)).toEqual([20, 20]);
  // States of the connections of these ports that are left (proc_pid_net(5)). The last acknowledgement may be on its way; TIME_WAIT is 06.
  const seen = new Set<string>();
  const left = async () => {
    const { stdout } = await runIn(LAB, "client", ["cat", "/proc/net/tcp"]);
    const states = range(30_000, 40).flatMap(
      (port) => new RegExp(`^ *\\d+: \\w+:${hex(port)} \\S+ (\\w\\w) `, "m").exec(stdout)?.[1] ?? [],
    );
    for (const state of states) seen.add(state);
    return states;
  };
  await expect.poll(left).toEqual([]);
  expect([...seen]).not.toContain("06");
});

let nextPort = 31_000;
test.each<[string, Partial<Round>, object]>([
  ["a port without a listener", { port: 82 }, { refused: 3 }],
  ["an unused address", { host: "172.31.1.99" }, { noConnection: 3 }],
  ["a network without a route", { host: "10.99.0.1" }, { unreachable: 3 }],
  ["a server that resets", { port: 81 }, { reset: 3 }],
  ["a server that sends nothing", { path: "/silent" }, { noAnswer: 3 }],
  ["an answer that is cut off", { path: "/cut" }, { shortAnswer: 3 }],
  ["a missing page", { path: "/missing" }, { notOk: 3 }],
  ["a source address that is not the client's", { source: "172.31.1.77" }, { portTaken: 3 }],
])("%s is counted by kind, and not timed", async (_, more, failures) => {
  const timeoutMs = "noConnection" in failures || "noAnswer" in failures ? 300 : 60_000;
  const result = await load({ timeoutMs }).round(round(nextPort, { connections: 3, ...more }));
  nextPort += 10;
  expect(result).toMatchObject({ nanoseconds: [], failures });
});

test("a round ends when its time is over", async () => {
  const { failures } = await load({ roundMs: 1_000, timeoutMs: 600 }).round(round(33_000, { path: "/silent" }));
  const { noAnswer = 0, notTried } = failures;
  expect(noAnswer).toBeLessThan(3);
  expect(notTried).toBe(20 - noAnswer);
});

test("it stays on the given processor, and refuses one that does not exist", async () => {
  const processor = cpus().length - 1;
  const one = load({ processor });
  await one.round(round(34_000));
  const [pid] = generators();
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  expect(status).toContain(`Cpus_allowed_list:\t${processor}\n`);
  await expect(load({ processor: 1000 }).round(round(34_020))).rejects.toThrow("cannot run on processor 1000");
});

test("it counts BPF run time when asked, and only during the round", async () => {
  const { bpfCounted } = await load().round(round(35_000, { countBpf: true }));
  expect(bpfCounted).toBe(true);
});

test("it exits with its parent, also in the middle of a round", async () => {
  const starter = `
    const { spawn } = require("node:child_process");
    const [file, ...args] = ${JSON.stringify([...enterArgv(LAB, "client", []), program, "-1", "1", "30000", "60000"])};
    spawn(file, args, { stdio: ["pipe", "inherit", "inherit"] }).stdin.write("${SERVER} 80 ${CLIENT} 36000 9 1 /silent 0\\n");
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ["-e", starter], { stdio: "inherit" });
  await expect.poll(generators).toHaveLength(1);
  await expect.poll(portsSeen).toContain(36_000);
  child.kill("SIGKILL");
  await expect.poll(generators).toEqual([]);
});

/** Load generators of this test's lab: others run beside it. */
function generators(): number[] {
  return processesInNamespaces([machineNamespace(LAB, "client")]).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith(`${program}\0`);
    } catch {
      return false;
    }
  });
}
