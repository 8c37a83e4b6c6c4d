// Real packets to a probe server that gets no CPU, because it is stopped: silence for that reason is never reported as dropped,
// nor to hold; what is really dropped is found all the same.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { checkSchema } from "../../components/documents/check.ts";
import { socketsOfPods } from "../../probe/sockets.ts";
import type { Actor, RunningCommand } from "../actors/actor.ts";
import { prepareProber } from "../actors/prober.ts";
import { runRound } from "./round.ts";
import { FakeWorld, pod } from "./world.fixture.ts";

const tag = randomBytes(3).toString("hex");
const [client, server] = [`starved-${tag}-a`, `starved-${tag}-b`];
const program = join(import.meta.dirname, "..", "..", "probe", "main.ts");
const told: string[] = [];
let running: ChildProcess;

/** Port 81 drops everything, port 82 what carries data towards the server, port 83 what carries data back. */
const firewall = `table inet probe {
  chain input {
    type filter hook input priority 0;
    tcp dport 81 drop
    udp dport 81 drop
    tcp dport 82 tcp flags & psh == psh drop
  }
  chain output {
    type filter hook output priority 0;
    tcp sport 83 tcp flags & psh == psh drop
  }
}`;

const ip = (...words: string[]) => execFileSync("ip", words);

function inside(namespace: string, ...command: string[]): ChildProcess {
  return spawn("nsenter", [`--net=/run/netns/${namespace}`, "--", process.execPath, program, ...command]);
}

beforeAll(async () => {
  for (const namespace of [client, server]) ip("netns", "add", namespace);
  ip("-n", client, "link", "add", "veth0", "type", "veth", "peer", "name", "veth0", "netns", server);
  ip("-n", client, "address", "add", "10.99.0.1/24", "dev", "veth0");
  ip("-n", server, "address", "add", "10.99.0.2/24", "dev", "veth0");
  for (const namespace of [client, server])
    for (const device of ["veth0", "lo"]) ip("-n", namespace, "link", "set", device, "up");
  const isUp = () => execFileSync("ip", ["-n", server, "link", "show", "dev", "veth0"]).includes("LOWER_UP");
  await vi.waitUntil(isUp, { timeout: 180_000 });
  execFileSync("nsenter", [`--net=/run/netns/${server}`, "--", "nft", "-f", "-"], { input: firewall });
  running = inside(server, "probe-server", "--tcp", "80,81,82,83", "--udp", "80,81");
  createInterface(running.stderr ?? process.stdin).on("line", (line) => told.push(line));
  await vi.waitUntil(() => told.some((line) => line.includes("answers on")), { timeout: 180_000 });
});
afterEach(() => {
  running.kill("SIGCONT");
});
afterAll(() => {
  running?.kill("SIGKILL");
  for (const namespace of [client, server]) ip("netns", "delete", namespace);
});

/** Called when the prober is about to begin: on a busy machine its start takes seconds. */
let whenReady = (): void => {};

/** The two namespaces as a machine and a pod that answers. */
class Starved extends FakeWorld {
  override clock = { now: () => performance.now(), sleep: async () => {} };
  override cluster = { ...new FakeWorld().cluster };
  override log = async () => told;
  override machine = (): Actor & ReturnType<FakeWorld["machine"]> => ({
    ...new FakeWorld().machine(""),
    prepare: async (batch) => {
      const prober = await prepareProber("client1", batch, async (onLine) => started(onLine));
      whenReady();
      return prober;
    },
  });
  override node = () => ({
    ...new FakeWorld().machine(""),
    sockets: async (pods: string[]) =>
      new Map(socketsOfPods(pods, () => `/run/netns/${server}`).map(({ pod, sockets }) => [pod, sockets])),
  });
}

function started(onLine: (line: string) => void): RunningCommand {
  const child = inside(client, "probe", "--wait");
  const read = createInterface(child.stdout ?? process.stdin).on("line", onLine);
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) => {
    read.once("close", () => child.once("close", (code) => resolve({ code, stderr: "" })));
  });
  return { write: (text) => void child.stdin?.write(text), abort: () => void child.kill(), ended };
}

/** One round. @returns what each expectation came to: "pass", "fail" or "open", and what was observed */
async function round(...written: [to: string, verdict: string][]): Promise<string[]> {
  told.length = 0;
  const world = new Starved();
  world.cluster.pods = [...world.cluster.pods.slice(0, 2), pod("web-0", "node", "10.99.0.2")];
  const expect = written.map(([to, verdict]) => ({
    from: "client1",
    to: `${to.slice(0, 3)}://10.99.0.2:${to.slice(3)}`,
    verdict,
  }));
  const [step] = checkSchema.parse({ name: "n", steps: [{ expect }] }).steps;
  let token = 0;
  const assessments = await runRound(world, step?.expect ?? [], () => `ab-${token++}`);
  return assessments.map(
    ({ pass, undecided, observed }) => `${pass ? "pass" : undecided ? "open" : "fail"}: ${observed}`,
  );
}

test("with a running server drops are detected, also after the connection has opened", async () => {
  const found = await round(
    ["tcp80", "allowed"],
    ["udp80", "allowed"],
    ["tcp81", "dropped"],
    ["udp81", "dropped"],
    ["tcp83", "dropped"],
    ["tcp83", "allowed"],
  );
  const served = "pass: allowed from 10.99.0.1";
  expect(found).toEqual([served, served, ...Array(3).fill("pass: dropped"), "fail: dropped"]);
});

test("a probe waits for a server that has no CPU for a while, if the server's kernel acknowledges", async () => {
  running.kill("SIGSTOP");
  whenReady = () => void setTimeout(() => running.kill("SIGCONT"), 6000);
  const [tcp, udp] = await round(["tcp80", "allowed"], ["udp80", "dropped"]).finally(() => {
    whenReady = () => {};
  });
  expect(tcp).toBe("pass: allowed from 10.99.0.1");
  // Read late, when nobody listened any more: the server itself says why.
  expect(udp).toMatch(/^open: undecided: pod default\/web-0 had no CPU for ([2-9]\d{3}|\d{5,}) ms of the last \d+ s$/);
});

test("a server without any CPU decides nothing, whatever was expected; a packet that is really dropped does", async () => {
  running.kill("SIGSTOP");
  const found = await round(
    ["tcp80", "allowed"],
    ["tcp80", "dropped"],
    ["udp80", "allowed"],
    ["udp80", "dropped"],
    ["tcp81", "dropped"],
    ["tcp81", "allowed"],
    ["tcp82", "dropped"],
    ["tcp82", "allowed"],
  );
  const idle =
    /^open: undecided: pod default\/web-0 has (connections that it has not accepted|datagrams that it has not read): its program gets no CPU, or hangs$/;
  for (const row of found.slice(0, 4)) expect(row).toMatch(idle);
  expect(found.slice(4)).toEqual(["pass: dropped", "fail: dropped", "pass: dropped", "fail: dropped"]);
});
