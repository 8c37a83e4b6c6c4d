import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { UnusableKubeconfig } from "./errors.ts";
import { plainKubeconfig } from "./plain-kubeconfig.ts";

const folder = mkdtempSync(join(tmpdir(), "plain-kubeconfig-"));
afterAll(() => rmSync(folder, { recursive: true }));
const base64 = (text: string) => Buffer.from(text).toString("base64");
const server = "https://172.31.1.8:6443";

function written(cluster: object, user: object | null, more: object = {}): string {
  const path = join(folder, "config");
  const content = {
    apiVersion: "v1",
    kind: "Config",
    preferences: {},
    "current-context": "c",
    contexts: [{ name: "c", context: { cluster: "c", user: "u", namespace: "n" } }],
    clusters: [
      { name: "other", cluster: { "proxy-url": "socks5://p" } },
      { name: "c", cluster },
    ],
    users: [
      { name: "other", user: { exec: { command: "aws" } } },
      { name: "u", user },
    ],
    ...more,
  };
  writeFileSync(path, stringify(content));
  return path;
}

test("a kubeconfig as kubeadm writes it", async () => {
  const access = plainKubeconfig(
    written(
      { server, "certificate-authority-data": base64("CA") },
      { "client-certificate-data": base64("CERT"), "client-key-data": base64("KEY") },
    ),
  );
  expect(access.server).toBe(server);
  expect(await access.options()).toEqual({ ca: Buffer.from("CA"), cert: Buffer.from("CERT"), key: Buffer.from("KEY") });
});

test("file paths are relative to the kubeconfig's folder and read for each request; a token file takes precedence over a token", async () => {
  writeFileSync(join(folder, "ca"), "CA");
  writeFileSync(join(folder, "token"), "first\n");
  const access = plainKubeconfig(
    written(
      { server, "certificate-authority": "ca", "tls-server-name": "kubernetes" },
      { token: "t", tokenFile: "token" },
    ),
  );
  const asked = { ca: Buffer.from("CA"), servername: "kubernetes" };
  expect(await access.options()).toEqual({ ...asked, headers: { Authorization: "Bearer first" } });
  writeFileSync(join(folder, "token"), "second");
  expect(await access.options()).toEqual({ ...asked, headers: { Authorization: "Bearer second" } });
});

test("a test server without TLS and without credentials", async () => {
  const access = plainKubeconfig(written({ server: "http://127.0.0.1:1", "insecure-skip-tls-verify": true }, null));
  expect(await access.options()).toEqual({ rejectUnauthorized: false });
});

test.each([
  [{ server: "http://127.0.0.1:1" }, { token: "t" }, {}, "without encryption"],
  [{ server: "172.31.1.8:6443" }, {}, {}, "at server"],
  [{ server, "proxy-url": "http://p" }, {}, {}, 'Unrecognized key: "proxy-url"'],
  [{ server }, { exec: { command: "aws" } }, {}, 'Unrecognized key: "exec"'],
  [{ server }, { username: "u", password: "p" }, {}, 'Unrecognized keys: "username", "password"'],
  [{ server }, {}, { "current-context": "d" }, "it has no context d"],
  [{ server }, {}, { clusters: [] }, "it has no cluster c"],
])("%j with %j and %j cannot be used, and it is said why", (cluster, user, more, why) => {
  const path = written(cluster, user, more);
  expect(() => plainKubeconfig(path)).toThrow(UnusableKubeconfig);
  expect(() => plainKubeconfig(path)).toThrow(`the kubeconfig ${path} cannot be used: `);
  expect(() => plainKubeconfig(path)).toThrow(why);
});

test("the error for a kubeconfig that is not YAML does not contain its secrets", () => {
  const path = join(folder, "broken");
  for (const broken of ["users: [{ user: { token: secret : x: y } }", "users: [{ user: { token: *secret } }]"]) {
    writeFileSync(path, broken);
    expect(() => plainKubeconfig(path)).toThrow(UnusableKubeconfig);
    expect(() => plainKubeconfig(path)).not.toThrow("secret");
  }
});

test("missing parts are named", () => {
  expect(() => plainKubeconfig(join(folder, "none"))).toThrow(/ENOENT.*none/);
  const access = plainKubeconfig(written({ server }, { "client-certificate": "gone.crt", "client-key": "gone.key" }));
  expect(() => access.options()).toThrow(/ENOENT.*gone\.crt/);
});
