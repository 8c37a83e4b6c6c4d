import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { stringify } from "yaml";
import { UnusableKubeconfig } from "./errors.ts";
import { getObject } from "./get.ts";
import { apiServerOf, defaultAccess, kubeconfigFile, kubeconfigOf } from "./kubeconfig.ts";
import { type Api, ApiServer } from "./transport.ts";

/** Tokens that the API server accepts, and the token of each request. */
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
  vi.unstubAllEnvs();
  listener.close();
  rmSync(folder, { recursive: true });
});

const port = () => (listener.address() as AddressInfo).port;

function kubeconfig(user: object, cluster: object = { "insecure-skip-tls-verify": true }): string {
  return stringify({
    "current-context": "c",
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    clusters: [{ name: "c", cluster: { server: `http://127.0.0.1:${port()}`, ...cluster } }],
    users: [{ name: "u", user }],
  });
}

const version = (api: Api) => getObject(api, "/version");
const calls = () => readFileSync(join(folder, "calls"), "utf8").length;

/** A plugin as EKS has one: each call gives another token. @param lifetime seconds, or no time is said */
function plugin(lifetime?: number, more: object = {}): ApiServer {
  const path = join(folder, "calls");
  const status = lifetime === undefined ? "token" : "token, expirationTimestamp";
  const script = `
    const { appendFileSync, readFileSync } = require("node:fs");
    appendFileSync(${JSON.stringify(path)}, "x");
    const token = "t" + readFileSync(${JSON.stringify(path)}, "utf8").length;
    const expirationTimestamp = new Date(${Date.now()} + 1000 * ${lifetime ?? 0}).toISOString();
    console.log(JSON.stringify({ kind: "ExecCredential", status: { ${status} } }));`;
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: process.execPath,
    args: ["-e", script],
    ...more,
  };
  return apiServerOf(kubeconfigOf(kubeconfig({ exec })));
}

test("a plugin's token is used until shortly before its time is over, then the plugin is asked again", async () => {
  const api = plugin(600);
  await version(api);
  vi.setSystemTime(Date.now() + 560_000);
  await version(api);
  vi.setSystemTime(Date.now() + 15_000);
  await version(api);
  expect(tokens).toEqual(["t1", "t1", "t2"]);
});

test("a plugin's token that expires immediately is used for its request", async () => {
  const api = plugin(-1);
  await version(api);
  await version(api);
  expect(tokens).toEqual(["t1", "t2"]);
});

test("a plugin's token that is refused before its time is replaced, and the request is made once more", async () => {
  const api = plugin();
  await version(api);
  accepts = (token) => token !== "t1";
  await version(api);
  expect(tokens).toEqual(["t1", "t1", "t2"]);
  // Another user of the same credentials (exec over WebSocket) has the new ones too.
  expect((await api.access.options()).headers).toMatchObject({ Authorization: "Bearer t2" });
});

test("concurrent requests run the plugin once, also to replace a refused token", async () => {
  const api = plugin();
  await Promise.all([1, 2, 3, 4, 5].map(() => version(api)));
  expect(calls()).toBe(1);
  accepts = (token) => token !== "t1";
  await Promise.all([1, 2, 3, 4, 5].map(() => version(api)));
  expect(calls()).toBe(2);
});

test("a refusal that arrives when the credentials are renewed already does not renew them again", async () => {
  const api = plugin();
  const [early, late] = [await api.access.options(), await api.access.options()];
  api.access.renew?.(early);
  await version(api);
  api.access.renew?.(late);
  await version(api);
  expect(tokens).toEqual(["t2", "t2"]);
});

test("credentials that stay refused are a refusal, after one more try", async () => {
  accepts = () => false;
  await expect(version(plugin())).rejects.toMatchObject({ status: 401, words: "Unauthorized" });
  expect(tokens).toEqual(["t1", "t2"]);
});

test("a plugin gets the expected API version, and the cluster if it wants it", async () => {
  const script = `require("node:fs").writeFileSync(${JSON.stringify(join(folder, "info"))}, process.env.KUBERNETES_EXEC_INFO);
    console.log('{"status":{"token":"t"}}')`;
  const exec = { apiVersion: "client.authentication.k8s.io/v1", command: process.execPath, args: ["-e", script] };
  await version(apiServerOf(kubeconfigOf(kubeconfig({ exec: { ...exec, provideClusterInfo: true } }))));
  expect(JSON.parse(readFileSync(join(folder, "info"), "utf8"))).toEqual({
    apiVersion: "client.authentication.k8s.io/v1",
    kind: "ExecCredential",
    spec: { interactive: false, cluster: { server: `http://127.0.0.1:${port()}`, "insecure-skip-tls-verify": true } },
  });
});

test.each([
  [
    { command: "/nowhere/plugin", installHint: "install it" },
    /\/nowhere\/plugin returned no credentials: there is no \/nowhere\/plugin$/,
    "install it",
  ],
  [{ command: "no-such-plugin" }, /: there is no no-such-plugin on PATH$/, "use a kubeconfig that needs no plugin"],
  [{ command: "/etc" }, /: \/etc may not be run by this user$/, "use a kubeconfig"],
  [{ args: ["-e", "console.error('log in first'); process.exit(3)"] }, /: log in first$/, "run the plugin by hand"],
  [{ args: ["-e", "process.exit(3)"] }, /ended with exit code 3$/, "run the plugin by hand"],
  [{ args: ["-e", "console.log('<html>')"] }, /printed no ExecCredential/, "run the plugin by hand"],
  [{ args: ["-e", "console.log('{}')"] }, /printed no ExecCredential/, "run the plugin by hand"],
])("a plugin that fails is named with its complaint and what to do: %j", async (exec, message, next) => {
  const failed = version(plugin(undefined, exec));
  await expect(failed).rejects.toThrow(UnusableKubeconfig);
  await expect(failed).rejects.toThrow(message);
  await expect(failed).rejects.toMatchObject({ next: expect.stringContaining(next) });
});

test("a relative plugin and a token's file are seen from the kubeconfig's folder; the token is read for each request", async () => {
  writeFileSync(join(folder, "token"), "first\n");
  writeFileSync(join(folder, "config"), kubeconfig({ tokenFile: "token", token: "never" }));
  const api = apiServerOf(kubeconfigFile(join(folder, "config")));
  await version(api);
  writeFileSync(join(folder, "token"), "second\n");
  await version(api);
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "bin", "plugin"), '#!/bin/sh\necho \'{"status":{"token":"third"}}\'\n', { mode: 0o755 });
  writeFileSync(join(folder, "config"), kubeconfig({ exec: { command: "./bin/plugin" } }));
  await version(apiServerOf(kubeconfigFile(join(folder, "config"))));
  expect(tokens).toEqual(["first", "second", "third"]);
});

test("of several files in KUBECONFIG the first that names something counts; files that are not there do not", async () => {
  const paths = ["none", "one", "two"].map((name) => join(folder, name));
  vi.stubEnv("KUBECONFIG", paths.join(":"));
  writeFileSync(paths[1] as string, kubeconfig({ token: "of-one" }));
  writeFileSync(
    paths[2] as string,
    kubeconfig({ tokenFile: "token" })
      .replaceAll(/\bu\b/g, "v")
      .replace("name: c\n    context", "name: d\n    context"),
  );
  writeFileSync(join(folder, "token"), "of-two");
  await version(new ApiServer(defaultAccess()));
  await version(new ApiServer(defaultAccess("d")));
  expect(tokens).toEqual(["of-one", "of-two"]);
});

const of = (server: string): string =>
  stringify({
    "current-context": "c",
    contexts: [{ name: "c", context: { cluster: "c" } }],
    clusters: [{ name: "c", cluster: { server } }],
  });

test.each([
  ["no: [yaml", /the kubeconfig cannot be read: /],
  ["clusters: [{name: a}]", /cannot be read: clusters\[0\]\.cluster is missing/],
  ["{}", /has no current cluster/],
  ["current-context: gone", /has no current cluster/],
  [of("127.0.0.1:6443"), /server "127\.0\.0\.1:6443" is no URL/],
  [of("ssh://a"), /server "ssh:\/\/a" is no URL/],
])("%j is no kubeconfig", async (text, message) => {
  const asked = async () => version(apiServerOf(kubeconfigOf(text)));
  await expect(asked()).rejects.toThrow(UnusableKubeconfig);
  await expect(asked()).rejects.toThrow(message);
});

test("the error for a kubeconfig that is not YAML does not contain its secrets", () => {
  const whole = kubeconfig({ token: "secret" });
  const aliased = whole.replace(/(["']?)secret\1/, "*secret");
  expect(aliased).not.toBe(whole);
  for (const broken of [`${whole.trimEnd()} : x: y`, aliased]) {
    expect(() => kubeconfigOf(broken)).toThrow(UnusableKubeconfig);
    expect(() => kubeconfigOf(broken)).not.toThrow("secret");
  }
});

test("other unusable settings are named, with the next step", async () => {
  expect(() => kubeconfigOf(kubeconfig({}), folder, "prod")).toThrow("the kubeconfig has no context prod");
  expect(() => kubeconfigFile(join(folder, "none"))).toThrow(/cannot be read: ENOENT.*none/);
  vi.stubEnv("KUBECONFIG", join(folder, "none"));
  expect(() => defaultAccess()).toThrow(/there is no kubeconfig: .*none does not exist/);
  const unsafe = version(apiServerOf(kubeconfigOf(kubeconfig({ token: "t" }, {}))));
  await expect(unsafe).rejects.toThrow(/without encryption/);
  const noFile = version(apiServerOf(kubeconfigOf(kubeconfig({ "client-certificate": "gone.crt" }), folder)));
  await expect(noFile).rejects.toThrow(/credentials of user u .*gone\.crt/);
  expect(tokens).toEqual([]);
});
