// Real packets between two network namespaces: what a firewall drops and rejects, several addresses, one port again and again.
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { AttemptResult } from "./batch.ts";

const tag = randomBytes(3).toString("hex");
const client = `probe-${tag}-a`;
const server = `probe-${tag}-b`;
const program = join(import.meta.dirname, "main.ts");
const started: ChildProcess[] = [];
/** How long an answer is waited for that does not come. One that comes is waited for patiently: a busy machine answers late. */
const SILENT = { timeoutMs: 1500 };
const PATIENT = { timeoutMs: 120_000 };

const firewall = `table inet probe {
  chain input {
    type filter hook input priority 0;
    tcp dport 81 drop
    udp dport 81 drop
    tcp dport 82 reject with tcp reset
    tcp dport 83 reject with icmp type port-unreachable
    tcp dport 84 reject with icmp type host-unreachable
    ip daddr 10.99.0.3 icmp type echo-request drop
    ip daddr 10.99.0.5 icmp type echo-request reject with icmp type admin-prohibited
    udp dport 82 reject with icmp type port-unreachable
  }
}`;

/** Also a module that is not loaded counts: a socket loads it. */
function hasSctp(): boolean {
  const socket = "import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)";
  return spawnSync("python3", ["-c", socket]).status === 0;
}

function ip(...args: string[]): void {
  execFileSync("ip", args);
}

function inside(namespace: string, ...command: string[]): ChildProcess {
  const child = spawn("nsenter", [`--net=/run/netns/${namespace}`, "--", ...command], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  started.push(child);
  return child;
}

async function probe(...probes: object[]): Promise<AttemptResult[]> {
  const child = spawn(process.execPath, [program, "probe", "--netns", `/run/netns/${client}`]);
  const batch = probes.map((one, id) => ({
    id: `${id}`,
    token: "t",
    host: "10.99.0.2",
    port: 80,
    protocol: "tcp",
    ...PATIENT,
    ...one,
  }));
  child.stdin.write(`${JSON.stringify(batch)}\n`);
  const results: AttemptResult[] = [];
  for await (const line of createInterface(child.stdout)) results.push(JSON.parse(line));
  return results.sort((a, b) => Number(a.id) - Number(b.id) || a.attempt - b.attempt);
}

/** A session whose batches have one probe each; the end ends it. */
function session() {
  const child = inside(client, process.execPath, program, "probe", "--session");
  const lines = createInterface(child.stdout ?? process.stdin)[Symbol.asyncIterator]();
  let id = 0;
  const send = async (probe: object, step: number): Promise<AttemptResult> => {
    if (id === 0) await lines.next(); // it is ready
    const usual = { token: `t${id}`, host: "10.99.0.2", port: 80, ...PATIENT, sourcePort: 40_010 };
    const keep = { socket: JSON.stringify({ ...probe, timeoutMs: undefined }), step };
    child.stdin?.write(`${JSON.stringify([{ id: `${id++}`, ...usual, keep, ...probe }])}\n`);
    return JSON.parse((await lines.next()).value ?? "{}");
  };
  const ended = new Promise((resolve) => child.once("close", resolve));
  const end = (): Promise<unknown> => {
    child.stdin?.end();
    return ended;
  };
  return { send, end };
}

/** Replaces the rules for kept sockets. */
function rule(...rules: string[]): void {
  const table = `table inet kept { chain input { type filter hook input priority 0\n${rules.join("\n")}\n}\n}`;
  const input = `table inet kept { }\ndelete table inet kept\n${table}`;
  execFileSync("nsenter", [`--net=/run/netns/${server}`, "--", "nft", "-f", "-"], { input });
}

/** Ports of the client whose connections to the server's port 80 are open. */
function openPorts(): string {
  return execFileSync("ip", ["netns", "exec", client, "ss", "-Htn", "state", "established", "dport", "=", "80"], {
    encoding: "utf8",
  });
}

const portable = join(import.meta.dirname, "..", "dist", "probe", process.arch === "x64" ? "amd64" : process.arch);

/** Of the threads of a process (proc_pid_stat(5)). */
const statesOf = ({ pid }: ChildProcess) =>
  readdirSync(`/proc/${pid}/task`).map(
    (thread) => readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8").split(") ").at(-1)?.[0],
  );

it("the portable prober reads what came while it had no processor", async ({ skip }) => {
  if (!existsSync(portable)) skip("SKIP: dist/probe is not built (make build)");
  const [timeoutMs, payload] = [3000, Buffer.from("asked").toString("base64")];
  const attempted = async () => {
    const server = createSocket("udp4").bind(0, "127.0.0.1");
    await once(server, "listening");
    const prober = spawn(portable, { stdio: ["pipe", "pipe", "inherit"] });
    const { port } = server.address();
    prober.stdin.end(
      JSON.stringify([{ id: "a", attempt: 1, host: "127.0.0.1", port, protocol: "udp", timeoutMs, payload }]),
    );
    const [, from] = (await once(server, "message")) as [Buffer, { port: number }];
    prober.kill("SIGSTOP");
    await vi.waitUntil(() => statesOf(prober).every((state) => state === "T"), { timeout: 180_000, interval: 1 });
    server.send("answered", from.port, "127.0.0.1");
    await setTimeout(timeoutMs + 500);
    prober.kill("SIGCONT");
    const result = JSON.parse(await text(prober.stdout));
    server.close();
    return result;
  };
  // It may look at its clock first, or at the socket.
  const results = await Promise.all(Array.from({ length: 10 }, attempted));
  expect(results).toMatchObject(Array(10).fill({ received: Buffer.from("answered").toString("base64"), ended: true }));
});

describe("probes between namespaces", () => {
  beforeAll(async () => {
    ip("netns", "add", client);
    ip("netns", "add", server);
    ip("-n", client, "link", "add", "veth0", "type", "veth", "peer", "name", "veth0", "netns", server);
    for (const [namespace, address] of [
      [client, "10.99.0.1/24"],
      [server, "10.99.0.2/24"],
      [server, "10.99.0.3/24"],
      [server, "10.99.0.5/24"],
    ] as const) {
      ip("-n", namespace, "address", "add", address, "dev", "veth0");
    }
    for (const namespace of [client, server]) {
      for (const device of ["veth0", "lo"]) ip("-n", namespace, "link", "set", device, "up");
    }
    // The kernel calls a link running a moment after it was set up, and Node lists the addresses of running ones.
    const linkIsRunning = () => execFileSync("ip", ["-n", server, "link", "show", "dev", "veth0"]).includes("LOWER_UP");
    await vi.waitUntil(linkIsRunning, { timeout: 180_000 });
    execFileSync("nsenter", [`--net=/run/netns/${server}`, "--", "nft", "-f", "-"], { input: firewall });
    const running = inside(
      server,
      process.execPath,
      program,
      "probe-server",
      "--tcp",
      "80,81,82,83,84",
      "--udp",
      "80,81,82",
    );
    await new Promise<void>((resolve, reject) => {
      running.stderr?.on("data", (text) => String(text).includes("answers on") && resolve());
      running.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
    });
  });

  afterAll(() => {
    for (const child of started) child.kill("SIGTERM");
    for (const namespace of [client, server]) ip("netns", "delete", namespace);
  });

  it("distinguish allowed, dropped and rejected", async () => {
    const results = await probe(
      { port: 80 },
      { port: 80, protocol: "udp" },
      { port: 81, ...SILENT },
      { port: 81, protocol: "udp", ...SILENT },
      { port: 82 },
      { port: 82, protocol: "udp" },
      { port: 83 },
      { port: 84 },
      { host: "10.98.0.1" },
    );
    expect(results.map(({ verdict, error }) => (verdict === "rejected" ? `${verdict} ${error}` : verdict))).toEqual([
      "allowed",
      "allowed",
      "dropped",
      "dropped",
      "rejected ECONNREFUSED",
      "rejected ECONNREFUSED",
      "rejected ECONNREFUSED",
      "rejected EHOSTUNREACH",
      "rejected ENETUNREACH",
    ]);
    expect(results[0]).toMatchObject({ source: "10.99.0.1", localAddress: "10.99.0.1" });
  });

  it("compare echoes of several fragments and segments", async () => {
    const results = await probe(
      { size: 1_000_000 },
      { size: 8000, protocol: "udp" },
      { size: 60_000, protocol: "udp", count: 3 },
      { size: 60_000, protocol: "udp", port: 81, ...SILENT },
      { size: 60_000, port: 81, ...SILENT },
      { size: 60_000, port: 82 },
    );
    expect(results.map(({ verdict, echoed }) => [verdict, echoed])).toEqual([
      ["allowed", 1_000_000],
      ["allowed", 8000],
      ...Array(3).fill(["allowed", 60_000]),
      ["dropped", undefined],
      ["dropped", undefined],
      ["rejected", undefined],
    ]);
    expect(results[0]).toMatchObject({ source: "10.99.0.1", localAddress: "10.99.0.1" });
  });

  it("over ICMP distinguish an answer, silence and an error, and say which", async () => {
    const icmp = { protocol: "icmp", port: 0 };
    const results = await probe(
      { ...icmp, size: 8000 },
      { ...icmp, icmp: { type: 13, code: 0 } },
      { ...icmp, host: "10.99.0.3", ...SILENT },
      { ...icmp, host: "10.99.0.5" },
      { ...icmp, host: "10.98.0.1" },
      { ...icmp, icmp: { type: 128, code: 0 } },
      { protocol: "sctp" },
    );
    expect(results.map(({ verdict, error, echoed }) => [verdict, error ?? echoed])).toEqual([
      ["allowed", 8000],
      ["allowed", undefined],
      ["dropped", "no answer within 1500 ms"],
      ["rejected", "ICMP type 3 code 13, administratively prohibited, from 10.99.0.5"],
      ["rejected", "ENETUNREACH"],
      ["none", expect.stringContaining("is not a query of this address family")],
      hasSctp() ? ["rejected", "ECONNREFUSED"] : ["none", "its kernel has no SCTP"],
    ]);
    expect(results[0]).toMatchObject({ localAddress: "10.99.0.1" });
  });

  it("get their answer from the address they asked, also from one that appears later", async () => {
    ip("-n", server, "address", "add", "10.99.0.4/24", "dev", "veth0");
    const later = async () =>
      (await probe({ host: "10.99.0.4", protocol: "udp", ...SILENT }))[0]?.verdict === "allowed";
    await vi.waitUntil(later, { timeout: 180_000 });
    const hosts = ["10.99.0.2", "10.99.0.3", "10.99.0.4"];
    const results = await probe(...hosts.map((host) => ({ host, protocol: "udp" })));
    expect(results.map(({ verdict }) => verdict)).toEqual(["allowed", "allowed", "allowed"]);
  });

  it.each(["tcp", "udp"])("bind one local port 50 times in a row over %s", async (protocol) => {
    const results = await probe({ protocol, sourcePort: 40_001, count: 50 });
    expect(results.map(({ verdict, error, sourcePort }) => error ?? `${verdict} ${sourcePort}`)).toEqual(
      Array(50).fill("allowed 40001"),
    );
  });

  it("are answered by an attended server under its name, until its input ends", async () => {
    const attended = inside(
      server,
      process.execPath,
      program,
      "probe-server",
      "--tcp",
      "90",
      "--name",
      "machine/b",
      "--attended",
    );
    await new Promise((resolve) => attended.stdout?.once("data", resolve));
    expect(await probe({ port: 90 })).toMatchObject([{ verdict: "allowed", server: "machine/b", source: "10.99.0.1" }]);
    const ended = new Promise((resolve) => attended.once("close", resolve));
    attended.stdin?.end();
    expect(await ended).toBe(0);
    expect(await probe({ port: 90 })).toMatchObject([{ verdict: "rejected" }]);
  });

  it("are not answered by a server whose port is taken: it says so and ends", async () => {
    const second = inside(
      server,
      process.execPath,
      program,
      "probe-server",
      "--tcp",
      "80",
      "--name",
      "x",
      "--attended",
    );
    let said = "";
    second.stderr?.on("data", (text) => {
      said += text;
    });
    expect(await new Promise((resolve) => second.once("close", resolve))).toBe(2);
    expect(said).toContain("EADDRINUSE");
  });

  it("bind a port again after it was dropped, by the next process", async () => {
    const fixed = { sourcePort: 40_002 };
    expect(
      (await probe({ ...fixed, port: 81, ...SILENT }, { ...fixed, port: 80 })).map(({ verdict }) => verdict),
    ).toEqual(["dropped", "allowed"]);
    expect((await probe({ ...fixed, port: 80 })).map(({ verdict }) => verdict)).toEqual(["allowed"]);
  });

  it("of a session use one connection, whose verdict follows the firewall, until the input ends", async () => {
    const { send, end } = session();
    const tcp = { protocol: "tcp" };
    expect(await send(tcp, 1)).toMatchObject({ verdict: "allowed", source: "10.99.0.1", sourcePort: 40_010 });
    const connection = openPorts();
    expect(connection).toContain("10.99.0.1:40010");
    // A new connection is refused: only the kept one gets an answer.
    rule("tcp sport 40010 tcp flags syn reject with tcp reset");
    expect(await send(tcp, 2)).toMatchObject({ verdict: "allowed", sourcePort: 40_010 });
    rule("tcp sport 40010 drop");
    expect(await send({ ...tcp, ...SILENT }, 3)).toMatchObject({ verdict: "dropped", acknowledged: false });
    rule("tcp sport 40010 tcp flags syn reject with tcp reset");
    const again = await vi.waitUntil(async () => (await send(tcp, 4)).verdict === "allowed", { timeout: 180_000 });
    expect(again).toBe(true);
    rule("tcp sport 40010 reject with tcp reset");
    expect(await send(tcp, 5)).toMatchObject({ verdict: "rejected", error: "ECONNRESET" });
    rule();
    // What ended in this step stays so; the next step has another connection.
    expect(await send(tcp, 5)).toMatchObject({ verdict: "rejected", error: "ECONNRESET" });
    expect(await send(tcp, 6)).toMatchObject({ verdict: "allowed", sourcePort: 40_010 });
    expect(await end()).toBe(0);
    expect(openPorts()).not.toContain("40010");
  });

  it("of a session use one unconnected UDP socket, which is told of refusals and takes answers only from whom it asked", async () => {
    const { send, end } = session();
    const udp = { protocol: "udp" };
    expect(await send(udp, 1)).toMatchObject({ verdict: "allowed", localAddress: "10.99.0.1", sourcePort: 40_010 });
    rule("udp sport 40010 drop");
    expect(await send({ ...udp, ...SILENT }, 2)).toMatchObject({ verdict: "dropped" });
    rule("udp sport 40010 reject with icmp type port-unreachable");
    expect(await send(udp, 3)).toMatchObject({ verdict: "rejected", error: "ECONNREFUSED" });
    rule();
    expect(await send({ ...udp, host: "10.99.0.3" }, 4)).toMatchObject({ verdict: "allowed", sourcePort: 40_010 });
    const rewrite = "ip saddr 10.99.0.2 udp sport 80 ip saddr set 10.99.0.3";
    const table = `table inet other { chain output { type filter hook output priority 0\n${rewrite}\n}\n}`;
    execFileSync("nsenter", [`--net=/run/netns/${server}`, "--", "nft", "-f", "-"], { input: table });
    const elsewhere = "no answer within 1500 ms; an answer came from 10.99.0.3:80 instead";
    expect(await send({ ...udp, ...SILENT }, 5)).toMatchObject({ verdict: "dropped", error: elsewhere });
    execFileSync("nsenter", [`--net=/run/netns/${server}`, "--", "nft", "delete", "table", "inet", "other"]);
    expect(await end()).toBe(0);
  });

  it("of a session end with it when it is killed", async () => {
    const { send } = session();
    expect(await send({ protocol: "tcp" }, 1)).toMatchObject({ verdict: "allowed" });
    started.at(-1)?.kill("SIGKILL");
    await vi.waitUntil(() => !openPorts().includes("40010"), { timeout: 180_000 });
  });

  it("are confirmed by a capture of the packets that leave the other side, also when it gets no processor meanwhile", async () => {
    const capture = inside(server, process.execPath, program, "capture", "tcp and src host 10.99.0.2 and src port 80");
    const lines: object[] = [];
    const output = createInterface(capture.stdout ?? process.stdin);
    await new Promise<void>((resolve) => {
      output.on("line", (line) => {
        lines.push(JSON.parse(line));
        if (line.includes("listening")) resolve();
      });
    });
    const tcpdump = Number(readFileSync(`/proc/${capture.pid}/task/${capture.pid}/children`, "utf8"));
    process.kill(tcpdump, "SIGSTOP");
    await probe({ sourcePort: 40_003, count: 20 }, { protocol: "udp" });
    const ended = new Promise((resolve) => capture.once("close", resolve));
    capture.stdin?.write("\n");
    await setTimeout(500);
    process.kill(tcpdump, "SIGCONT");
    expect(await ended).toBe(0);
    const reply = expect.objectContaining({
      device: "veth0",
      direction: "out",
      source: "10.99.0.2",
      sourcePort: 80,
      destination: "10.99.0.1",
      destinationPort: 40_003,
    });
    expect(lines.length).toBeGreaterThan(40);
    expect(lines.slice(1)).toEqual(lines.slice(1).map(() => reply));
  });
});
