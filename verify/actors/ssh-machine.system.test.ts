// A client that is entered by a real SSH server, in a network namespace of its own; what its prober sees is what this package's own sees.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type AttemptResult, type Probe, probeSchema } from "../../probe/batch.ts";
import { sendNow } from "./actor.ts";
import { sshMachine } from "./ssh-machine.ts";
import { noSshServer, sshServer } from "./ssh-server.fixture.ts";

const root = join(import.meta.dirname, "..", "..");
const probers = join(root, "dist", "probe");
const program = join(root, "probe", "main.ts");
const why = noSshServer || (!existsSync(probers) && "SKIP: dist/probe is not built (make build)");
if (why) console.log(why);

const tag = randomBytes(3).toString("hex");
const [client, server] = [`ssh-${tag}-a`, `ssh-${tag}-b`];
const ip = (...args: string[]) => execFileSync("ip", args);
const FIREWALL = `table inet probe {
  chain input {
    type filter hook input priority 0;
    tcp dport 81 drop
    udp dport 81 drop
    tcp dport 82 reject with tcp reset
    udp dport 82 reject with icmp type port-unreachable
  }
}`;

/** How long an answer is waited for that does not come. */
const SILENT = { timeoutMs: 1500 };
const asked = (...probes: Partial<Probe>[]): Probe[] =>
  probes.map((probe, id) =>
    probeSchema.parse({
      id: `${id}`,
      token: "t",
      host: "10.99.0.2",
      port: 80,
      protocol: "tcp",
      timeoutMs: 120_000, // a busy machine answers late
      ...probe,
    }),
  );
const sorted = (results: AttemptResult[]) =>
  results.sort((one, other) => Number(one.id) - Number(other.id) || one.attempt - other.attempt);

describe.skipIf(why)("a machine over SSH", () => {
  let running: ChildProcess;
  let ssh: ReturnType<typeof sshServer>;

  beforeAll(async () => {
    ssh = sshServer(client);
    for (const namespace of [client, server]) ip("netns", "add", namespace);
    ip("-n", client, "link", "add", "veth0", "type", "veth", "peer", "name", "veth0", "netns", server);
    ip("-n", client, "address", "add", "10.99.0.1/24", "dev", "veth0");
    ip("-n", server, "address", "add", "10.99.0.2/24", "dev", "veth0");
    for (const namespace of [client, server]) {
      for (const device of ["veth0", "lo"]) ip("-n", namespace, "link", "set", device, "up");
    }
    // Both probers shall find it the same: a neighbour that is not there is given up within their patience.
    const [neighbours, once] = ["net.ipv4.neigh.veth0", "mcast_solicit=1"];
    execFileSync("nsenter", [`--net=/run/netns/${client}`, "sysctl", "--quiet", "--write", `${neighbours}.${once}`]);
    // An interface's address is answered on from a moment after its cable is there.
    const shown = () => ip("-n", server, "-brief", "link", "show", "dev", "veth0").toString();
    await vi.waitUntil(() => / UP .*LOWER_UP/.test(shown()), { timeout: 180_000 });
    const inServer = `--net=/run/netns/${server}`;
    execFileSync("nsenter", [inServer, "nft", "-f", "-"], { input: FIREWALL });
    const ports = ["--tcp", "80,81,82", "--udp", "80,81,82"];
    running = spawn("nsenter", [inServer, process.execPath, program, "probe-server", ...ports]);
    await new Promise<void>((resolve, reject) => {
      running.stderr?.on("data", (said) => String(said).includes("answers on") && resolve());
      running.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
    });
  });

  afterAll(() => {
    running?.kill("SIGTERM");
    for (const namespace of [client, server]) ip("netns", "delete", namespace);
    ssh.close();
  });

  test("its prober reports the same as our own, and is copied there once", async () => {
    const probes = asked(
      { port: 80, count: 2, sourcePort: 40_001 },
      { port: 80, protocol: "udp" },
      { port: 80, size: 1_000_000 },
      { port: 80, protocol: "udp", size: 60_000 },
      { port: 81, ...SILENT },
      { port: 81, protocol: "udp", ...SILENT },
      { port: 82 },
      { port: 82, protocol: "udp" },
      { port: 83 },
      { host: "10.98.0.1" },
      { host: "10.99.0.9" },
    );
    const own = spawn(process.execPath, [program, "probe", "--netns", `/run/netns/${client}`]);
    own.stdin.end(`${JSON.stringify(probes)}\n`);
    const expected: AttemptResult[] = (await text(own.stdout))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const seen = await sendNow(sshMachine(ssh.machine(), ssh.key("user"), probers), probes);
    // Without what differs between any two runs.
    const comparable = (results: AttemptResult[]) =>
      sorted(results).map(({ connectMs: _, localPort: __, sourcePort, ...same }) => ({
        ...same,
        fixed: sourcePort === 40_001,
      }));
    expect(comparable(seen)).toEqual(comparable(expected));
    expect(seen[0]).toMatchObject({ verdict: "allowed", source: "10.99.0.1", sourcePort: 40_001 });
    await sendNow(sshMachine(ssh.machine(), ssh.key("user"), probers), asked({}));
    expect(readdirSync(ssh.cache)).toEqual([expect.stringMatching(/^probe-[0-9a-f]{12}$/)]);
  });

  test("a connection is kept over several batches, until it is closed", async () => {
    const kept = await sshMachine(ssh.machine(), ssh.key("user"), probers).keep();
    const open = () => execFileSync("ip", ["netns", "exec", server, "ss", "-Htn", "state", "established"]).toString();
    for (const step of [1, 2]) {
      const probe = { sourcePort: 40_005, keep: { socket: "a", step } };
      expect(await kept.send(asked(probe))).toMatchObject([
        { verdict: "allowed", source: "10.99.0.1", sourcePort: 40_005 },
      ]);
    }
    expect(
      open()
        .split("\n")
        .filter((line) => line.includes(":40005")),
    ).toHaveLength(1);
    await kept.close();
    await vi.waitUntil(() => !open().includes(":40005"), { timeout: 180_000 });
  });

  test.each<[string, Parameters<ReturnType<typeof sshServer>["machine"]>[0], "user" | "stranger", RegExp]>([
    [
      "another key",
      {},
      "stranger",
      /^machine client1: ssh to root@client1.example: .*Permission denied \(publickey.* Next: check that this key/,
    ],
    [
      "a host that was not announced",
      { hostKey: undefined },
      "user",
      /its host key is not in known_hosts\. Next: compare it/,
    ],
    [
      "a host that is down",
      { proxyCommand: undefined, host: "127.0.0.1", port: 1 },
      "user",
      /127.0.0.1 port 1: .*Connection refused.* Next: check that it runs/,
    ],
  ])("%s is said in one line", async (_, connection, key, message) => {
    const machine = sshMachine(ssh.machine(connection), ssh.key(key), probers);
    await expect(sendNow(machine, asked({}))).rejects.toThrow(message);
  });

  test("a host key other than the given one is refused, unless checking is off", async () => {
    const hostKey = ssh.strangersHostKey;
    const strict = sshMachine(ssh.machine({ hostKey }), ssh.key("user"), probers);
    await expect(sendNow(strict, asked({}))).rejects.toThrow("its host key is not the one that was given");
    const trusting = sshMachine(ssh.machine({ hostKey, hostKeyChecking: "off" }), ssh.key("user"), probers);
    expect(await sendNow(trusting, asked({}))).toMatchObject([{ verdict: "allowed" }]);
  });
});
