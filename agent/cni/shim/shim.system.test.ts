import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SUPPORTED_VERSIONS } from "../request.ts";

const noGo =
  spawnSync("go", ["version"]).status === 0 ? false : "SKIP: the CNI shim is a Go program, and there is no go";
if (noGo) console.log(noGo);

describe.skipIf(noGo)("the shim", () => {
  const folder = mkdtempSync(join(tmpdir(), "dataplane-shim-"));
  const shim = join(folder, "shim");
  const config = { cniVersion: "1.1.0", name: "ebpf-dataplane", type: "ebpf-dataplane" };
  const environment = (command: string) => ({ CNI_COMMAND: command, CNI_CONTAINERID: "c1", CNI_IFNAME: "eth0" });

  beforeAll(() => {
    const env = { ...process.env, CGO_ENABLED: "0" };
    execFileSync("go", ["build", "-o", shim, "."], { cwd: import.meta.dirname, env });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What it prints, with a server that gets its request. */
  async function asked(command: string, answer: (request: string) => string): Promise<{ said: string; exit: number }> {
    const socket = join(folder, "agent.sock");
    const server = createServer((connection) =>
      connection.once("data", (request) => connection.end(answer(request.toString()))),
    );
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    try {
      const child = spawn(shim, { env: environment(command), stdio: ["pipe", "pipe", "inherit"] });
      const exit = new Promise<number>((resolve) => child.once("exit", (code) => resolve(code ?? -1)));
      child.stdin.end(JSON.stringify({ ...config, socket }));
      return { said: (await child.stdout.setEncoding("utf8").toArray()).join(""), exit: await exit };
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  }
  const response = (status: number, body: string) =>
    `HTTP/1.1 ${status} Text\r\nDate: now\r\ncontent-length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;

  test("passes its call on, and prints the result or the error", async () => {
    let request = "";
    const result = await asked("ADD", (text) => {
      request = text;
      return response(200, '{"ips": "ü"}');
    });
    expect(result).toEqual({ said: '{"ips": "ü"}', exit: 0 });
    const [head = "", body = ""] = request.split("\r\n\r\n");
    expect(head).toContain(`Content-Length: ${Buffer.byteLength(body)}`);
    expect(JSON.parse(body)).toMatchObject({ env: environment("ADD"), config });
    expect(await asked("DEL", () => response(200, ""))).toEqual({ said: "", exit: 0 });
    const large = JSON.stringify({ msg: "x".repeat(1 << 20) });
    expect(await asked("CHECK", () => response(500, large))).toEqual({ said: large, exit: 1 });
  });

  test("says where to look if no agent answers", () => {
    const input = JSON.stringify({ ...config, socket: join(folder, "nobody.sock") });
    const { status: exit, stdout } = spawnSync(shim, { input, env: environment("ADD"), encoding: "utf8" });
    expect(exit).toBe(1);
    const failure = JSON.parse(stdout);
    expect(failure).toMatchObject({ cniVersion: "1.1.0", code: 11 });
    expect(failure.details).toContain("next: kubectl get pods -A -l k8s-app=ebpf-dataplane");
    const status = spawnSync(shim, { input, env: environment("STATUS"), encoding: "utf8" });
    expect(JSON.parse(status.stdout).code).toBe(50);
  });

  test.each([
    ["nothing", ""],
    ["half of its head", "HTTP/1.1 200 OK\r\nContent-Le"],
    ["half of its result", 'HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n{"cniVersion": "1.0.0"'],
  ])("takes no answer of which an agent that is killed has sent %s", async (_, sent) => {
    const { said, exit } = await asked("ADD", () => sent);
    expect(JSON.parse(said)).toMatchObject({ code: 11, details: expect.stringContaining("the answer was cut short") });
    expect(exit).toBe(1);
  });

  test("knows its versions without an agent, and says that input is no JSON", () => {
    const without = (command: string, input: string) =>
      JSON.parse(spawnSync(shim, { input, env: environment(command), encoding: "utf8" }).stdout);
    const versions = { cniVersion: "1.1.0", supportedVersions: SUPPORTED_VERSIONS };
    expect(without("VERSION", JSON.stringify({ ...config, cniVersion: "0.1.0" }))).toEqual(versions);
    expect(without("VERSION", "")).toEqual(versions);
    expect(without("ADD", "{").code).toBe(6);
  });
});
