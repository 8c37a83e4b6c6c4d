// The agent's requests to the API server need exactly the rights that its role grants.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { LeaseWatch } from "../agent/balancer/lease-watch.ts";
import { Leases } from "../agent/balancer/leases.ts";
import { Ownership } from "../agent/balancer/ownership.ts";
import { Statuses } from "../agent/balancer/statuses.ts";
import { createLog } from "../agent/observe/log.ts";
import { apiCluster } from "../agent/watch/cluster.ts";
import { kinds } from "../agent/watch/kinds.ts";
import { Dataplane } from "../components/dataplane/component.ts";
import { Encryption } from "../components/dataplane/encryption-args.ts";
import { recordResources, settled } from "../components/testing/program.ts";
import type { StreamingApi } from "../kubernetes/transport.ts";
import { kindNames } from "../model/objects/kinds.ts";

/** "VERB GROUP/RESOURCE", as the API server's authorizer reads a request. */
function rightFor({ method, url = "" }: IncomingMessage): string {
  const { pathname, searchParams } = new URL(url, "http://server");
  const [, root, ...rest] = pathname.split("/");
  const group = root === "api" ? "" : rest.shift();
  const [, ...path] = rest; // after the version
  const [plural, name, below] = path[0] === "namespaces" && path.length > 2 ? path.slice(2) : path;
  const resource = below ? `${plural}/${below}` : plural;
  const reading = name ? "get" : searchParams.has("watch") ? "watch" : "list";
  const verb =
    method === "GET" ? reading : { POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" }[method ?? ""];
  const [, only] = /^metadata\.name=(.*)$/.exec(searchParams.get("fieldSelector") ?? "") ?? [];
  return `${verb} ${group}/${resource}${only === undefined ? "" : ` ${only}`}`;
}

/** What gives agents further rights. */
interface Asked {
  readonly loadBalancer: boolean;
  readonly secret?: string;
  readonly encryption?: Encryption;
}

const node = { metadata: { name: "node", uid: "1" }, status: { addresses: [] } };

function answer(request: IncomingMessage, response: ServerResponse): void {
  if (request.method !== "GET") return void response.writeHead(201).end('{"metadata":{"resourceVersion":"1"}}');
  if (request.url?.includes("watch=true")) return void response.writeHead(200).flushHeaders(); // nothing happens
  const items = request.url?.startsWith("/api/v1/nodes") ? [node] : [];
  response.end(JSON.stringify({ metadata: { resourceVersion: "1" }, items }));
}

async function balance(api: StreamingApi): Promise<void> {
  const leases = new Leases(api, "ebpf-dataplane", 2);
  const ownership = new Ownership("node");
  const listed = new Promise<void>((resolve) => {
    void new LeaseWatch(api, "ebpf-dataplane", ownership, resolve, createLog("warn")).run();
  });
  await listed;
  await leases.get("node-node");
  await leases.write({ name: "node-node", holder: "node", version: undefined });
  await leases.write({ name: "node-node", holder: "node", version: "1" });
  await leases.write({ name: "node-node", holder: undefined, version: "1" });
  await new Statuses(api).write([{ namespace: "default", name: "web", addresses: ["192.0.2.1"] }]);
}

async function rightsThatAreUsed({ loadBalancer, secret, encryption }: Asked): Promise<string[]> {
  const used = new Set<string>();
  const server = createServer((request, response) => {
    used.add(rightFor(request));
    answer(request, response);
  });
  const folder = mkdtempSync(join(tmpdir(), "rights-"));
  const stop = new AbortController();
  try {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const kubeconfig = join(folder, "kubeconfig");
    const here = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const named = (kind: string, content: object) => [{ name: "c", [kind]: content }];
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        clusters: named("cluster", { server: here, "insecure-skip-tls-verify": true }),
        users: named("user", {}),
        contexts: named("context", { cluster: "c", user: "c" }),
        "current-context": "c",
      }),
    );
    const cluster = apiCluster(kubeconfig, () => {}, createLog("warn"));
    void cluster.run(stop.signal);
    cluster.secrets.follow(new Set(secret === undefined ? [] : [secret]));
    await vi.waitFor(() => expect(cluster.store.complete).toBe(true), 180_000);
    const block = { name: "10-244-0-0-26", cidr: "10.244.0.0/26", node: "node", pool: "default" };
    await cluster.claims.create(block);
    await cluster.claims.lend(block);
    await cluster.claims.free({ ...block, uid: "1" });
    cluster.problems.report([{ kind: "Node", name: "node", path: "status", message: "is an example" }]);
    await vi.waitFor(
      () =>
        expect([...used].filter((right) => /^watch /.test(right))).toHaveLength(
          kindNames.length + (secret === undefined ? 0 : 1),
        ),
      180_000,
    );
    await vi.waitFor(() => expect([...used].join()).toContain("/events"), 180_000);
    if (encryption) await cluster.publishKey("node", "key");
    if (cluster.hastyApi && loadBalancer) await balance(cluster.hastyApi);
    return [...used].sort();
  } finally {
    stop.abort();
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  }
}

interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
  resourceNames?: string[];
}

async function rightsThatAreGiven({ loadBalancer, secret, encryption }: Asked): Promise<string[]> {
  const resources = await recordResources();
  const peer = { name: "tor", peerIP: "172.31.1.1", asNumber: 64500 };
  const bgpPeers =
    secret === undefined ? [] : [{ ...peer, password: { secretKeyRef: { name: secret, key: "password" } } }];
  new Dataplane("dp", {
    apiServer: { host: "172.31.1.8", port: 6443 },
    loadBalancer,
    bgpPeers,
    ...(encryption && { encryption }),
  });
  await settled();
  const given = resources.filter(({ type }) => /:(Cluster)?Role$/.test(type));
  const rules = given.flatMap(({ inputs }) => inputs.rules as Rule[]);
  return rules
    .flatMap(({ apiGroups, resources, verbs, resourceNames }) => {
      const only = resourceNames ? ` ${resourceNames.join()}` : "";
      return apiGroups.flatMap((group) =>
        resources.flatMap((name) => verbs.map((verb) => `${verb} ${group}/${name}${only}`)),
      );
    })
    .sort();
}

test.each([
  { loadBalancer: false, about: ["create ebpf-dataplane.io/ipamblocks", `list /${kinds.nodes.plural}`] },
  { loadBalancer: true, about: ["patch /services/status", "update coordination.k8s.io/leases"] },
  { loadBalancer: false, secret: "bgp", about: ["list /secrets bgp", "watch /secrets bgp"] },
  { loadBalancer: false, encryption: Encryption.WireGuard, about: [`patch /${kinds.nodes.plural}`] },
])(
  "the agent's roles have each right that the agent uses, once, and no other (load balancer: $loadBalancer, Secret: $secret, encryption: $encryption)",
  async ({ about, ...asked }: Asked & { about: string[] }) => {
    const used = await rightsThatAreUsed(asked);
    for (const right of about) expect(used).toContain(right);
    expect(await rightsThatAreGiven(asked)).toEqual(used);
  },
);
