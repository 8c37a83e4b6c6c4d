import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { createGunzip } from "node:zlib";
import type { V1Node, V1Pod } from "@kubernetes/client-node";
import { extract } from "tar-stream";
import { expect, onTestFinished, test } from "vitest";
import { ApiRefusal } from "../../kubernetes/errors.ts";
import type { Api } from "../../kubernetes/transport.ts";
import type { ClusterView } from "../cluster/view.ts";
import { Archive } from "./archive.ts";
import { collect, type Manifest } from "./collect.ts";
import { piecesOf } from "./pieces.ts";
import { cleaned, scrubbed } from "./redact.ts";

/** Planted wherever a secret can be; nothing in it tells that it is one. */
const PLANTED = "correct-horse-battery";
const TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZ2VudCJ9.c2lnbmF0dXJl";
/** Known from the kubeconfig: nothing else tells that it is one. */
const KUBECONFIGS = 'staple "of" the kubeconfig';
const KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\n-----END RSA PRIVATE KEY-----";

const metadata = (name: string, more: object = {}) => ({
  name,
  annotations: { "kubectl.kubernetes.io/last-applied-configuration": `{"password":"${PLANTED}"}`, note: PLANTED },
  managedFields: [{ manager: PLANTED }],
  ...more,
});
const agent: V1Pod = {
  metadata: metadata("ebpf-dataplane-x", { namespace: "ebpf-dataplane", labels: { "k8s-app": "ebpf-dataplane" } }),
  spec: {
    nodeName: "master",
    imagePullSecrets: [{ name: PLANTED }],
    containers: [
      {
        name: "agent",
        image: "ebpf-dataplane:0.1.0",
        args: ["--key", PLANTED],
        env: [{ name: "HTTPS_PROXY", value: PLANTED }],
      },
    ],
  },
  status: {
    phase: "Running",
    containerStatuses: [
      {
        name: "agent",
        ready: false,
        restartCount: 2,
        image: "",
        imageID: "",
        state: { terminated: { exitCode: 1, message: `password=${PLANTED}` } },
      },
    ],
  },
};
const tenants: V1Pod = {
  metadata: metadata("web", { namespace: "shop" }),
  spec: { nodeName: "master", containers: [{ name: "web", env: [{ name: "DB", value: PLANTED }] }] },
  status: { podIP: "10.244.0.7" },
};
const node: V1Node = {
  metadata: metadata("master"),
  status: { addresses: [{ type: "InternalIP", address: "172.31.1.8" }] },
};
const view: ClusterView = {
  ...{ nodes: [node], pods: [agent, tenants], services: [], endpointSlices: [], agentNamespace: "ebpf-dataplane" },
};

/** The node's BIRD does not answer. */
const NO_BIRD = { path: "inspect/master/bgp.json", why: "BIRD does not run" };

const lists: Record<string, object[]> = {
  "/apis/projectcalico.org/v3/bgppeers": [
    {
      metadata: metadata("tor"),
      spec: { asNumber: 64512, password: { secretKeyRef: { name: PLANTED, key: PLANTED } } },
    },
  ],
  "/apis/projectcalico.org/v3/ippools": [{ metadata: metadata("default"), spec: { cidr: "10.244.0.0/16" } }],
  "/api/v1/services": [
    {
      metadata: metadata("web", { annotations: { "ebpf-dataplane.io/return-mode": "dsr", "cloud/token": PLANTED } }),
      spec: { clusterIP: "10.96.0.9" },
    },
  ],
  "/api/v1/events": [{ message: `cannot pull: https://user:${PLANTED}@images.example.com/agent` }],
  "/api/v1/namespaces/ebpf-dataplane/events": [
    { involvedObject: { name: "ebpf-dataplane-x" }, message: `Bearer ${TOKEN}` },
    // Of somebody else in a namespace that is shared.
    { involvedObject: { name: "other" }, message: PLANTED },
  ],
};
const logs = [
  `{"level":30,"msg":"started"}`,
  `token: ${TOKEN}`,
  `Authorization: Bearer abcdefghijkl`,
  KEY,
  `called with ${KUBECONFIGS}`,
];

function clusterThat(refuses: RegExp, objects = lists) {
  const asked: string[] = [];
  const api: Api = {
    server: "https://172.31.1.8:6443",
    send: async ({ path, query }) => {
      asked.push(path);
      if (refuses.test(path)) throw new ApiRefusal(403, "Forbidden", `not allowed with the token ${TOKEN}`);
      if (path === "/version") return '{"gitVersion":"v1.35.0"}';
      if (path.endsWith("/log")) return logs.join("\n") + (query?.previous ? "\nof the run before" : "");
      if (path.endsWith("/daemonsets/ebpf-dataplane"))
        return JSON.stringify({ metadata: metadata("ebpf-dataplane"), spec: { template: { spec: agent.spec } } });
      return JSON.stringify({ items: objects[path] ?? [], metadata: {} });
    },
  };
  return { api, asked };
}

async function bundled(refuses = /^$/, objects = lists) {
  const folder = mkdtempSync(join(tmpdir(), "bundle-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "new", "bundle.tar.gz");
  const { api, asked } = clusterThat(refuses, objects);
  const inspect = async (_: string, [kind = ""]: readonly string[]) => {
    if (kind === "bgp") throw new Error("BIRD does not run");
    return `[{"view":"${kind}"}]`;
  };
  const said = [`secret=${PLANTED}`, `password: "two words; ${PLANTED}"`, `called with ${KUBECONFIGS}`];
  const reports = async () => [{ node: "master", problems: said.map((words) => `its agent says: ${words}`) }];
  const archive = new Archive(path, "bundle");
  const about = { writtenAt: "2026-11-29T11:30:00.000Z", version: "0.1.0", cluster: api.server };
  const manifest = await collect(piecesOf({ api, view, inspect, reports, version: "0.1.0" }), archive, about, [
    KUBECONFIGS,
  ]);
  await archive.close();
  return { path, asked, manifest, files: await unpacked(path) };
}

async function unpacked(path: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const entries = Readable.from([readFileSync(path)])
    .pipe(createGunzip())
    .pipe(extract());
  for await (const entry of entries) files.set(entry.header.name, await text(entry));
  return files;
}

test("the archive holds what support needs, and only its owner can read it", async () => {
  const { path, files } = await bundled();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const read = (name: string) => JSON.parse(files.get(`bundle/${name}`) ?? "null");
  expect(read("versions.json")).toEqual({ package: "0.1.0", kubernetes: { gitVersion: "v1.35.0" } });
  expect(read("objects/ipPools.json").items[0].spec).toEqual({ cidr: "10.244.0.0/16" });
  expect(read("objects/bgpPeers.json").items[0].spec).toEqual({ asNumber: 64512, password: "(left out)" });
  expect(read("objects/services.json").items[0].metadata.annotations).toEqual({
    "ebpf-dataplane.io/return-mode": "dsr",
  });
  expect(read("agents.json").daemonSet.containers).toEqual([
    { name: "agent", image: "ebpf-dataplane:0.1.0", env: ["HTTPS_PROXY"] },
  ]);
  expect(read("agents.json").pods).toHaveLength(1);
  expect(read("names.json")).toEqual({ "10.244.0.7": "pod/shop/web", "172.31.1.8": "node/master" });
  expect(read("inspect/master/services.json")).toEqual([{ view: "services" }]);
  expect(read("inspect/master/settings.jsonl")).toEqual([{ view: "settings" }]);
  expect(read("inspect/master/metrics.jsonl")).toEqual([{ view: "metrics" }]);
  expect(files.get("bundle/logs/master/ebpf-dataplane-x.agent.log")).toContain("started");
  expect(files.get("bundle/logs/master/ebpf-dataplane-x.agent.before.log")).toContain("of the run before");
  expect(files.get("bundle/status.txt")).toContain("0 of 1 nodes are ready");
});

test("a planted secret is nowhere in it, and no object that holds secrets is asked for", async () => {
  const { files, asked } = await bundled();
  const all = [...files].flat().join("\n");
  for (const secret of [PLANTED, "two words", "staple", TOKEN, "abcdefghijkl", "MIIEpAIBAAKCAQEA7"])
    expect(all).not.toContain(secret);
  expect(JSON.parse(files.get("bundle/status.json") ?? "").nodes[0].problems).toHaveLength(3);
  expect(asked.filter((path) => /secrets|configmaps|serviceaccounts/.test(path))).toEqual([]);
});

test("the manifest names what was collected, and what was not and why", async () => {
  const { files, manifest } = await bundled(/services$|\/log$/);
  const read: Manifest = JSON.parse(files.get("bundle/manifest.json") ?? "");
  expect(read).toEqual(manifest);
  expect([...files.keys()].sort()).toEqual(
    [...read.collected.map(({ path }) => `bundle/${path}`), "bundle/manifest.json"].sort(),
  );
  expect(read.missing).toEqual([
    { path: "objects/services.json", why: "not allowed with the token (left out)" },
    NO_BIRD,
    { path: "logs/master/ebpf-dataplane-x.agent.log", why: "not allowed with the token (left out)" },
    { path: "logs/master/ebpf-dataplane-x.agent.before.log", why: "not allowed with the token (left out)" },
  ]);
  expect(read.leftOut.join("\n")).toContain("Secrets");
});

test("where no BGP is spoken, no node is asked about it, and nothing is missing", async () => {
  const { manifest } = await bundled(undefined, { ...lists, "/apis/projectcalico.org/v3/bgppeers": [] });
  expect(manifest.missing).toEqual([{ ...NO_BIRD, why: "the cluster has none" }]);
});

test("an archive that exists is not replaced", async () => {
  const { path } = await bundled();
  const archive = new Archive(path, "bundle");
  await expect(archive.add("a", "text").then(() => archive.close())).rejects.toThrow("EEXIST");
});

test.each([
  ["password: hunter22, next", "password: (left out), next"],
  ['{"apiKey":"abc","port":80}', '{"apiKey":"(left out)","port":80}'],
  ["https://me:pw@host/path", "https://host/path"],
  ["Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic (left out)"],
  [
    String.raw`{"msg":"password: \"two words\", then","x":1}`,
    String.raw`{"msg":"password: \"(left out)\", then","x":1}`,
  ],
  [String.raw`{"msg":"secret=a\b;c(d\nnext"}`, String.raw`{"msg":"secret=(left out)\nnext"}`],
  [String.raw`{"password":"ab\"cd","port":80}`, '{"password":"(left out)","port":80}'],
  ["password='it is; so' next", "password='(left out)' next"],
  ["aws_secret_access_key=abc/def(g)h;i next", "aws_secret_access_key=(left out) next"],
  ["bird --password hunter22 --port 80", "bird --password (left out) --port 80"],
  ["-----BEGIN PGP PRIVATE KEY BLOCK-----\nlQ\n-----END PGP PRIVATE KEY BLOCK-----.", "(left out)."],
  ['{"token":null,"tls_secret":{"name":"a"}}', '{"token":null,"tls_secret":{"name":"a"}}'],
  ["Authorization: token ghp_abc, next", "Authorization: (left out) next"],
  [String.raw`{"m":"authorization=\"abc\""}`, String.raw`{"m":"authorization=\"(left out)\""}`],
  ["passphrase: correct-horse", "passphrase: (left out)"],
  ["172.31.1.8:30604 > pod/shop/web-1:80", "172.31.1.8:30604 > pod/shop/web-1:80"],
])("a text without secrets: %s", (given, expected) => {
  expect(scrubbed(given, [])).toBe(expected);
});

test.each([
  ["passw".repeat(400_000), "passw".repeat(400_000)],
  [`-----BEGIN ${"PRIVATE KEY".repeat(200_000)}`, `-----BEGIN ${"PRIVATE KEY".repeat(200_000)}`],
  [`-----BEGIN PRIVATE KEY----------END ${"PRIVATE KEY".repeat(200_000)}`, "(left out)"],
])("a text of others that is made to take long does not", (text, expected) => {
  expect(scrubbed(text, []) === expected).toBe(true);
});

test.each(["PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "PGP PRIVATE KEY BLOCK"])(
  "a %s is left out, with what stands for its end",
  (label) => {
    const key = `-----BEGIN ${label}-----\nMIIE\n-----END ${label}-----`;
    expect(scrubbed(`a\n${key}\nb\n${key}`, [])).toBe("a\n(left out)\nb\n(left out)");
    expect(scrubbed(key.replaceAll(" KEY", " TEXT"), [])).toContain("MIIE");
  },
);

test("objects without secrets, at every depth", () => {
  expect(cleaned({ a: [{ clientSecret: "x", b: { env: [{ name: "A", value: "x" }] } }], n: null })).toEqual({
    a: [{ clientSecret: "(left out)", b: { env: [{ name: "A" }] } }],
    n: null,
  });
});

test("an archive is there when it is complete: of one that was stopped nothing is left", async () => {
  const folder = mkdtempSync(join(tmpdir(), "stopped-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "bundle.tar.gz");
  const stopped = new Archive(path, "bundle");
  await stopped.add("one.json", "{}");
  expect(readdirSync(folder)).toEqual(["bundle.tar.gz.part"]);
  stopped.abandon();
  expect(readdirSync(folder)).toEqual([]);
  const whole = new Archive(path, "bundle");
  await whole.add("one.json", "{}");
  await whole.close();
  expect(readdirSync(folder)).toEqual(["bundle.tar.gz"]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});
