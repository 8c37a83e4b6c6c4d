import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { BgpPlan } from "../../model/bgp/plan.ts";
import { judged } from "../../model/bgp/worlds.fixture.ts";
import type { Secrets, SecretValue } from "../watch/secrets.ts";
import { Bgp } from "./bgp.ts";

/** In place of BIRD: all that is asked for it answers with an established session, or what "bird.conf.says" says of it, and it ends when it is asked to be no more. */
const BIRD = `#!${process.execPath}
const { appendFileSync, existsSync, readFileSync } = require("node:fs");
const option = (name) => process.argv[process.argv.indexOf(name) + 1];
if (!process.argv.includes("-p")) {
  if (existsSync(option("-c") + ".broken")) process.exit(1);
  require("node:net").createServer((client) => {
    client.write("0001 BIRD ready.\\n");
    client.on("error", () => {});
    client.on("data", (question) => {
      if (/graceful restart|down/.test(question)) process.exit(0);
      appendFileSync(option("-c") + ".asked", question);
      const said = option("-c") + ".says";
      const line = existsSync(said) ? readFileSync(said, "utf8") : "up 07:20:00 Established";
      client.write("1002-peer_192_0_2_254 BGP --- " + line + "\\n0000 \\n");
    });
  }).listen(option("-s"));
}
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bgp-"));
  writeFileSync(join(folder, "bird"), BIRD);
  chmodSync(join(folder, "bird"), 0o700);
  vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const log = { info() {}, warning() {}, error() {}, debug() {} };
const started = () => new Bgp({ node: "one", runDirectory: folder, log: log as never });
const noSecrets: Secrets = { follow() {}, valueOf: () => "unknown yet" };
const { plan } = judged({
  configuration: { nodeToNodeMeshEnabled: false },
  peers: { tor: { peerIP: "192.0.2.254", asNumber: 64500 } },
});

test("a session is not counted as established any more once BIRD is gone and does not start again", async () => {
  const bgp = started();
  const established = () => bgp.counted.map((session) => session.established);
  let changes = 0;
  const look = () => bgp.look(() => changes++);

  expect(await bgp.apply(plan as BgpPlan, noSecrets)).toEqual([]);
  look();
  await vi.waitFor(() => expect(established()).toEqual([true]), { timeout: 180_000 });

  writeFileSync(join(folder, "bird.conf.broken"), "");
  await bgp.end();
  expect(await bgp.apply(plan as BgpPlan, noSecrets)).toMatchObject([
    { kind: "Node", message: expect.stringContaining("start") },
  ]);
  look();
  expect(changes).toBe(1);
  await vi.waitFor(() => expect(established()).toEqual([false]), { timeout: 180_000 });
});

test("a session that ends again and again is told, although it is established again each time; a change of this node's own begins anew", async () => {
  const bgp = started();
  const look = async (line: string) => {
    writeFileSync(join(folder, "bird.conf.says"), line);
    const [, since, state] = line.split(" ");
    bgp.look(() => {});
    await vi.waitFor(() => expect(bgp.sessions[0]?.state).toMatchObject({ since, state }), { timeout: 180_000 });
  };
  const problems = () => bgp.apply(plan as BgpPlan, noSecrets);
  await problems();
  await look("up 07:20:00 Established");
  await look("up 07:20:30 Established");
  await look("start 07:20:50 Idle Automatic shutdown: Route limit exceeded");
  await look("up 07:21:10 Established");
  expect(await problems()).toEqual([]);
  await look("up 07:21:40 Established");
  expect(await problems()).toMatchObject([
    { kind: "BGPPeer", name: "tor", message: expect.stringMatching(/3 times or more .*Route limit exceeded/) },
  ]);
  const other = judged({
    configuration: { nodeToNodeMeshEnabled: false, listenPort: 1179 },
    peers: { tor: { peerIP: "192.0.2.254", asNumber: 64500 } },
  });
  expect(await bgp.apply(other.plan as BgpPlan, noSecrets)).toEqual([]);
  await bgp.end();
});

test("a peer that does not come up is told after a minute, with BIRD's reason, until it does", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
  const bgp = started();
  const look = async (line: string) => {
    writeFileSync(join(folder, "bird.conf.says"), line);
    bgp.look(() => {});
    await vi.waitFor(() => expect(bgp.sessions[0]?.state?.since).toBe(line.split(" ")[1]), { timeout: 180_000 });
  };
  const problems = () => bgp.apply(plan as BgpPlan, noSecrets);
  await problems();
  await look("start 07:20:00 Active Socket: Connection refused");
  vi.advanceTimersByTime(59_000);
  await look("start 07:20:01 Active Socket: Connection refused");
  expect(await problems()).toEqual([]);
  vi.advanceTimersByTime(1_000);
  await look("start 07:20:02 OpenSent Received: Bad peer AS");
  const message = expect.stringMatching(
    /one has no session with 192\.0\.2\.254 as AS 64500: OpenSent \(Received: Bad peer AS\)/,
  );
  expect(await problems()).toMatchObject([{ kind: "BGPPeer", name: "tor", message }]);
  await look("up 07:21:00 Established");
  expect(await problems()).toEqual([]);
  await bgp.end();
});

test("a peer whose further routes are ignored is told, and is asked again for them once there is room", async () => {
  const bgp = started();
  const look = async (imported: number) => {
    const shown = `up 07:20:00 Established\n    Import limit:   50000 [HIT]\n    Routes:         ${imported} imported, 3 exported, 0 preferred`;
    writeFileSync(join(folder, "bird.conf.says"), shown);
    bgp.look(() => {});
    await vi.waitFor(() => expect(bgp.sessions[0]?.state?.imported).toBe(imported), { timeout: 180_000 });
  };
  const asked = () => readFileSync(join(folder, "bird.conf.asked"), "utf8").split("\n").filter(Boolean).slice(-1);
  await bgp.apply(plan as BgpPlan, noSecrets);
  await look(50_000);
  expect(await bgp.apply(plan as BgpPlan, noSecrets)).toMatchObject([
    { kind: "BGPPeer", name: "tor", message: expect.stringContaining("no more than 50000 routes of 192.0.2.254") },
  ]);
  await look(45_001);
  expect(asked()).toEqual(["show protocols all"]);
  await look(45_000);
  await vi.waitFor(() => expect(asked()).toEqual(["reload in peer_192_0_2_254"]), { timeout: 180_000 });
  await bgp.end();
});

test("BIRD starts once the Secrets are read, with a file that root alone reads, and follows the next password", async () => {
  const password = { secretKeyRef: { name: "passwords", key: "tor" } };
  const { plan } = judged({
    configuration: { nodeToNodeMeshEnabled: false },
    peers: { tor: { peerIP: "192.0.2.254", asNumber: 64500, password } },
  });
  let value: SecretValue = "unknown yet";
  const follow = vi.fn();
  const bgp = started();
  const apply = () => bgp.apply(plan as BgpPlan, { follow, valueOf: () => value });
  const file = join(folder, "bird.conf");

  expect(await apply()).toEqual([]);
  expect(follow).toHaveBeenLastCalledWith(new Set(["passwords"]));
  expect(existsSync(file)).toBe(false);
  value = { text: "s3cret" };
  expect(await apply()).toEqual([]);
  expect(readFileSync(file, "utf8")).toContain('password "s3cret";');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  value = { text: "next" };
  expect(await apply()).toEqual([]);
  expect(readFileSync(file, "utf8")).toContain('password "next";');
  value = { field: "name", fault: "there is no Secret passwords" };
  expect(await apply()).toMatchObject([{ kind: "BGPPeer", name: "tor", path: "spec.password.secretKeyRef.name" }]);
  expect(readFileSync(file, "utf8")).toContain('password "next";');
  await bgp.end();
});
