import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { stringify } from "yaml";
import { readKubeconfig } from "../../cluster/kubeconfig.ts";
import { ApiServer } from "./api-server.ts";
import { kubeconfigFile } from "./kubeconfig.ts";

/** What the API server accepts, beginning with what it was given in each request. */
let accepts: (token: string) => boolean;
let tokens: string[];
let folder: string;
let listener: ReturnType<typeof createServer>;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  accepts = () => true;
  tokens = [];
  folder = mkdtempSync(join(tmpdir(), "ebpf-dataplane-credentials-"));
  listener = createServer((request, response) => {
    const token = request.headers.authorization?.replace("Bearer ", "") ?? "";
    tokens.push(token);
    response.writeHead(accepts(token) ? 200 : 401).end('{"message":"Unauthorized"}');
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
});
afterEach(() => {
  vi.useRealTimers();
  listener.close();
  rmSync(folder, { recursive: true });
});

function kubeconfig(user: object): string {
  const server = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  return stringify({
    "current-context": "c",
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    clusters: [{ name: "c", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "u", user }],
  });
}

/** A plugin as EKS has one: each call gives another token. @param lifetime seconds, or no time is said */
function plugin(lifetime?: number): ApiServer {
  const path = join(folder, "calls");
  const status = lifetime === undefined ? "token" : "token, expirationTimestamp";
  const script = `
    const { appendFileSync, readFileSync } = require("node:fs");
    appendFileSync(${JSON.stringify(path)}, "x");
    const token = "t" + readFileSync(${JSON.stringify(path)}, "utf8").length;
    const expirationTimestamp = new Date(Date.now() + 1000 * ${lifetime ?? 0}).toISOString();
    console.log(JSON.stringify({ kind: "ExecCredential", status: { ${status} } }));`;
  const exec = { apiVersion: "client.authentication.k8s.io/v1", command: process.execPath, args: ["-e", script] };
  return new ApiServer(readKubeconfig(kubeconfig({ exec })));
}

test("a plugin's token is used until its time is over, then the plugin is asked again", async () => {
  const api = plugin(600);
  await api.json("/version");
  await api.json("/version");
  vi.setSystemTime(Date.now() + 601_000);
  await api.json("/version");
  expect(tokens).toEqual(["t1", "t1", "t2"]);
});

test("a plugin's token that is refused before its time is replaced, and the request is made once more", async () => {
  const api = plugin();
  await api.json("/version");
  accepts = (token) => token !== "t1";
  await api.json("/version");
  expect(tokens).toEqual(["t1", "t1", "t2"]);
  // Whoever else uses the same credentials (exec over WebSocket) has the new ones too.
  const options: { headers?: Record<string, string> } = {};
  await api.config.applyToHTTPSOptions(options);
  expect(options.headers?.Authorization).not.toBe("Bearer t1");
});

test("credentials that stay refused are a refusal, after one more try", async () => {
  accepts = () => false;
  await expect(plugin().json("/version")).rejects.toMatchObject({ status: 401, message: "Unauthorized" });
  expect(tokens).toEqual(["t1", "t2"]);
});

test("a token in a file is read for each request", async () => {
  writeFileSync(join(folder, "token"), "first\n");
  writeFileSync(join(folder, "config"), kubeconfig({ tokenFile: "token", token: "never" }));
  const api = new ApiServer(kubeconfigFile(join(folder, "config")));
  await api.json("/version");
  writeFileSync(join(folder, "token"), "second\n");
  await api.json("/version");
  expect(tokens).toEqual(["first", "second"]);
});
