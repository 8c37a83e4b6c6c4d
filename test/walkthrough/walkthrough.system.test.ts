// The walk-through end to end over both address families, as a user does it: a killed run, up, the other return mode, kube-proxy,
// custom expectations, down. The tests form one story: each continues from the previous one. Each `up` costs half a minute, each check a
// quarter, so none repeats what another one shows.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { type Traces, tracesOf } from "./host.ts";
import { AGENTLESS, CHECK, OPEN } from "./nginx-checks.ts";
import { type Comparison, type Path, type Preflight, type Row, wayOf } from "./results.ts";
import { commandsOf, ended, root } from "./stack.ts";
import { oneStory } from "./story.ts";

const { LAB, check, compare, inMachine, lab, preflight, result, stack, trace } = commandsOf("walk");
oneStory();

const MINUTES = 60_000;
/** The walk-through's node port, on the node that nginx is not on, by address family. */
const ENTRIES = { IPv4: "172.31.1.8:30604", IPv6: "[fd00:172:31:1::8]:30604" };
/** By address family, what nginx sees of client1 and of the entry node. */
const CLIENT = { IPv4: "172.31.1.55", IPv6: "fd00:172:31:1::55" };
const ENTRY = { IPv4: "172.31.1.8", IPv6: "fd00:172:31:1::8" };
const FAMILIES = ["IPv4", "IPv6"] as const;
const scratch = mkdtempSync(join(tmpdir(), "walkthrough-"));

let before: Traces;

beforeAll(async () => {
  // Left by a test that was killed.
  await ended(stack("down"));
  before = tracesOf(LAB);
}, 5 * MINUTES);

afterAll(async () => {
  await stack("down").end;
  rmSync(scratch, { recursive: true });
}, 5 * MINUTES);

test("preview shows the planned resources, and changes nothing", async () => {
  const { stdout, stderr } = await ended(stack("preview"));
  for (const name of ["LocalCluster", "DaemonSet", "NetworkPolicy", "SourceIpVerification"])
    expect(stdout + stderr).toContain(name);
  expect(tracesOf(LAB)).toEqual(before);
});

test(
  "up after a killed up ends with a cluster whose pods see their clients, in DSR mode",
  async () => {
    const killed = stack("up");
    // In the middle of the most critical step: the control plane is half created.
    const initialising = () => tracesOf(LAB).processes.some((line) => line.includes("kubeadm init"));
    await expect.poll(initialising, { timeout: 3 * MINUTES, interval: 100 }).toBe(true);
    process.kill(-killed.pid, "SIGKILL");
    await killed.end;
    await ended(stack("up"));
    expect(verification()).toMatchObject({ failed: 0 });
    for (const family of FAMILIES) {
      expect(observed("client1", family)).toEqual(Array(2).fill(`allowed from ${CLIENT[family]}, reply direct`));
      expect(observed("client2", family)[1]).toBe("dropped");
    }
    const [path] = verification().topology?.paths ?? [];
    expect(path && wayOf(path)).toEqual(["client1", "master", "node", "nginx", "node", "client1"]);
  },
  20 * MINUTES,
);

test("all nodes are Ready, CoreDNS runs, and no kube-proxy runs", async () => {
  const ready =
    "jsonpath={range .items[*]}{.metadata.name} {.status.conditions[?(@.type=='Ready')].status}{'\\n'}{end}";
  const { stdout } = await ended(inMachine("master", "kubectl", "get", "nodes", "--output", ready));
  expect(stdout.trim().split("\n").sort()).toEqual(["master True", "node True"]);
  await ended(
    inMachine("master", "kubectl", "-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=60s"),
  );
  expect((await podIdentities()).join()).not.toContain("kube-proxy");
});

/** When each join token expires; "" if it never does. */
async function tokenEnds(): Promise<string[]> {
  const kubectl = [
    "kubectl",
    "-n",
    "kube-system",
    "get",
    "secrets",
    "--field-selector=type=bootstrap.kubernetes.io/token",
  ];
  const each = "--output=jsonpath={range .items[*]}{.data.expiration}{'\\n'}{end}";
  return (await ended(inMachine("master", ...kubectl, each))).stdout.split("\n").slice(0, -1);
}

test("join tokens expire, and no agent has more rights than are listed", async () => {
  const ends = await tokenEnds();
  expect(ends.length).toBeGreaterThan(0);
  for (const end of ends) {
    const left = Date.parse(Buffer.from(end, "base64").toString()) - Date.now();
    expect(left).toBeLessThanOrEqual(60 * MINUTES);
  }
  const agent = ["kubectl", "-n", "ebpf-dataplane", "exec", "daemonset/ebpf-dataplane", "--"];
  const { stdout } = await ended(inMachine("master", ...agent, "/bin/cat", "/proc/1/status"));
  // dac_override, net_admin, sys_admin, perfmon, bpf (linux/capability.h)
  expect(stdout).toMatch(/^CapBnd:\s*000000c000201002$/m);
  expect(stdout).toMatch(/^Seccomp:\s*2$/m);
  expect(stdout).toMatch(/^NoNewPrivs:\s*1$/m);
});

test(
  "a worker that lost its machine joins again, with a new token, and the other node's pods are not changed",
  async () => {
    const [tokens, pods] = [await tokenEnds(), await podIdentities("master")];
    await ended(lab("terminate", LAB, "node"));
    await ended(stack("up"));
    expect((await tokenEnds()).length).toBe(tokens.length + 1);
    expect(verification()).toMatchObject({ failed: 0 });
    expect(await podIdentities("master")).toEqual(expect.arrayContaining(pods));
  },
  10 * MINUTES,
);

test("client1 gets nginx's page and is logged with its own address, client2 gets no answer, in both families", async () => {
  const script = (url: string) =>
    `fetch(${JSON.stringify(url)}, {signal: AbortSignal.timeout(3000)}).then(async (r) => console.log(await r.text()), () => process.exit(7))`;
  const fetched = (client: string, family: "IPv4" | "IPv6", status: number) =>
    ended(
      inMachine(client, process.execPath, "-e", script(`http://${ENTRIES[family]}/?${family}-by-${client}`)),
      status,
    );
  const [pages] = await Promise.all([
    Promise.all(FAMILIES.map((family) => fetched("client1", family, 0))),
    Promise.all(FAMILIES.map((family) => fetched("client2", family, 7))),
  ]);
  for (const { stdout } of pages) expect(stdout).toContain("Welcome to nginx!");
  const { stdout: log } = await ended(inMachine("master", "kubectl", "logs", "deployment/nginx"));
  const logged = log.split("\n").filter((line) => line.includes("-by-client"));
  const sources = logged.map((line) => [line.split(" ")[0], /\?(IPv.-by-client\d)/.exec(line)?.[1]]);
  expect(sources.sort()).toEqual(FAMILIES.map((family) => [CLIENT[family], `${family}-by-client1`]));
});

test(
  "one line of configuration switches the running cluster to tunnel mode, to kube-proxy, and back",
  async () => {
    const nginx = async () => (await podIdentities()).filter((pod) => pod.startsWith("default/nginx"));
    const [pods, nginxPods] = [await podIdentities(), await nginx()];
    await ended(stack("up", "--config", "ebpf-dataplane:returnMode=tunnel"));
    expect(verification()).toMatchObject({ failed: 0 });
    for (const family of FAMILIES)
      expect(observed("client1", family)[0]).toBe(`allowed from ${CLIENT[family]}, reply via the entry node`);
    expect(await podIdentities()).toEqual(pods);
    await ended(stack("up", "--config", "ebpf-dataplane:serviceHandling=KubeProxyIptables"));
    expect(verification()).toMatchObject({ failed: 0 });
    for (const family of FAMILIES)
      expect(observed("client1", family)).toEqual([
        expect.stringContaining(`allowed from ${ENTRY[family]}`),
        "dropped",
      ]);
    expect(await nginx()).toEqual(nginxPods);
    await ended(stack("up"));
    expect(verification()).toMatchObject({ failed: 0 });
    for (const family of FAMILIES)
      expect(observed("client1", family)[1]).toBe(`allowed from ${CLIENT[family]}, reply direct`);
    expect(await podIdentities()).toEqual(pods);
    await untilKubeProxyIsGone();
  },
  10 * MINUTES,
);

// One that holds follows below.
test.each([
  ["does not hold", CHECK("allowed"), 1],
  ["is written wrong", CHECK("maybe"), 2],
])("a check file that %s", async (_, content, status) => {
  const file = join(scratch, "nginx.check.yaml");
  writeFileSync(file, content);
  const proof = verification();
  await ended(check(file), status);
  // `make report` still shows the deployment's results.
  expect(verification()).toEqual(proof);
});

// In one run, which starts the probers once. Its output names the rows that do not hold.
test(
  "all rows of the documentation's check files, and of those for every dataplane, hold",
  async () => {
    const folders = [join(root, "docs", "checks"), join(import.meta.dirname, "checks")];
    const files = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
    await ended(check(...files));
    const { rows } = JSON.parse(readFileSync(result("check.json"), "utf8")) as { rows: Row[] };
    const names = files.map((file) => (parse(readFileSync(file, "utf8")) as { name: string }).name);
    for (const name of names) expect(rows.map(({ step }) => step)).toContainEqual(expect.stringContaining(name));
  },
  10 * MINUTES,
);

test("a preflight finds no obstacle except another network plugin, and changes nothing", async () => {
  const pods = await podIdentities();
  const flannel = {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "kube-flannel-ds", namespace: "kube-system" },
    spec: {
      selector: { matchLabels: { app: "flannel" } },
      // On no node: its name is enough.
      template: {
        metadata: { labels: { app: "flannel" } },
        spec: { nodeSelector: { nowhere: "" }, containers: [{ name: "flannel", image: "flannel" }] },
      },
    },
  };
  const kubectl = (line: string) => ended(inMachine("master", "sh", "-c", line));
  await kubectl(`kubectl apply -f - <<'END'\n${JSON.stringify(flannel)}\nEND`);
  try {
    const { findings }: Preflight = JSON.parse((await ended(preflight(), 1)).stdout);
    expect(findings.filter(({ severity }) => severity === "refused").map(({ found }) => found)).toEqual([
      "Flannel: DaemonSet kube-system/kube-flannel-ds",
    ]);
    expect(findings.find(({ check }) => check === "BPF features")?.nodes.sort()).toEqual(["master", "node"]);
  } finally {
    await kubectl("kubectl delete daemonset -n kube-system kube-flannel-ds");
  }
  expect(await podIdentities()).toEqual(pods);
});

test.each(FAMILIES)("a trace shows the steps of one connection over %s on both nodes", async (family) => {
  const { stdout } = await ended(trace("client1", `tcp://${ENTRIES[family]}`));
  for (const word of ["master", "node", "default/nginx", CLIENT[family]]) expect(stdout).toContain(word);
});

test(
  "a dataplane that differs from the declaration is detected, with the reason",
  async () => {
    const file = join(scratch, "declared.check.yaml");
    writeFileSync(file, CHECK("dropped"));
    const mode = (value: string) =>
      inMachine("master", "kubectl", "patch", "felixconfiguration", "default", "--type=merge", "--patch", value);
    await ended(mode('{"spec":{"bpfExternalServiceMode":"Tunnel"}}'));
    try {
      const { stdout, stderr } = await ended(check(file), 1);
      expect(stdout + stderr).toMatch(/reply passed master.*FelixConfiguration default says Tunnel/s);
    } finally {
      await ended(mode('{"spec":{"bpfExternalServiceMode":"DSR"}}'));
    }
    const proof = verification();
    await ended(check(file));
    // `make report` still shows the deployment's results.
    expect(verification()).toEqual(proof);
  },
  3 * MINUTES,
);

test(
  "a node that masquerades its clients behind the declaration's back is caught, with its address",
  async () => {
    const file = join(scratch, "open.check.yaml");
    writeFileSync(file, OPEN);
    const kubectl = (...words: string[]) => ended(inMachine("master", "kubectl", ...words));
    const address = "jsonpath={.items[0].status.podIP}";
    const { stdout: nginx } = await kubectl("get", "pods", "--selector=app=nginx", "--output", address);
    const annotation = "ebpf-dataplane.io/service-handling";
    const handledBy = (who: string) =>
      kubectl("annotate", "--overwrite", "felixconfiguration", "default", `${annotation}=${who}`);
    const rules = `table ip masquerading {
      chain destination {
        type nat hook prerouting priority dstnat
        fib daddr type local tcp dport 30604 dnat to ${nginx}:80
      }
      chain source {
        type nat hook postrouting priority srcnat
        ct status dnat masquerade
      }
    }`;
    await ended(inMachine("master", "nft", rules));
    try {
      await handledBy("KubeProxyNftables");
      const { stdout, stderr } = await ended(check(file), 1);
      expect(stdout + stderr).toMatch(
        /saw 172\.31\.1\.8 \(node master\), not client1.*rewrites the source on node master.*SNAT/,
      );
      expect(stdout + stderr).toContain(`${annotation}: KubeProxyNftables`);
    } finally {
      await handledBy("Ebpf");
      await ended(inMachine("master", "nft", "delete", "table", "ip", "masquerading"));
    }
  },
  3 * MINUTES,
);

test(
  "a comparison shows for each service mode which clients are served and what the server sees",
  async () => {
    await ended(compare("--rounds", "1", "--connections", "30"));
    const { modes, expected, topology }: Comparison = JSON.parse(readFileSync(result("compare.json"), "utf8"));
    expect(expected.filter(({ pass }) => !pass)).toEqual([]);
    for (const family of FAMILIES) {
      const seen = (mode: string) => {
        const found = modes.find((one) => one.mode === mode);
        return family === "IPv4" ? found : found?.overIpv6;
      };
      for (const mode of ["KubeProxyIptables", "KubeProxyNftables"])
        expect(seen(mode)).toMatchObject({
          served: { client1: false, client2: false },
          loggedSources: [ENTRY[family]],
        });
      for (const mode of ["EbpfTunnel", "EbpfDsr", "Direct"])
        expect(seen(mode)).toMatchObject({ served: { client1: true, client2: false } });
      expect(seen("EbpfTunnel")?.replyPath).toBe("viaEntryNode");
      expect(seen("EbpfDsr")?.replyPath).toBe("direct");
    }
    expect(modes.find(({ mode }) => mode === "EbpfDsr")?.connections).toBeGreaterThan(0);
    const around = ["client1", "master", "node", "nginx", "node", "master", "client1"];
    expect(Object.fromEntries(topology.paths.map((path) => [path.mode, wayOf(path)]))).toEqual({
      KubeProxyIptables: around,
      KubeProxyNftables: around,
      EbpfTunnel: around,
      EbpfDsr: ["client1", "master", "node", "nginx", "node", "client1"],
      Direct: ["client1", "node", "nginx", "node", "client1"],
    });
  },
  12 * MINUTES,
);

test(
  "a verification needs no agent: it shows what holds without them, and what does not",
  async () => {
    const [file, kubectl] = [join(scratch, "agentless.check.yaml"), ["kubectl", "-n", "ebpf-dataplane"]];
    writeFileSync(file, AGENTLESS);
    await untilKubeProxyIsGone(); // else what the comparison left would go on without agents
    await ended(inMachine("master", ...kubectl, "delete", "daemonset", "ebpf-dataplane", "--wait"));
    await ended(check(file)); // pinned programs keep running
    for (const machine of ["master", "node"])
      await ended(inMachine(machine, "rm", "--recursive", "/sys/fs/bpf/ebpf-dataplane"));
    await ended(check(file), 1);
    const { rows } = JSON.parse(readFileSync(result("check.json"), "utf8")) as { rows: Row[] };
    expect(rows.map(({ from, observed }) => [from, observed.split(" ")[0]])).toEqual([
      ["client1", "rejected"],
      ["client1", "rejected"],
      ["client2", "rejected"],
      ["pod/default/app=nginx", "dropped"],
      ["node/master", "allowed"],
    ]);
    const { stdout } = await ended(inMachine("master", "kubectl", "get", "pods", "--all-namespaces"));
    expect(stdout).not.toContain("ebpf-dataplane-probe");
  },
  4 * MINUTES,
);

test(
  "down leaves nothing",
  async () => {
    await ended(stack("down"));
    expect(tracesOf(LAB)).toEqual(before);
    await ended(stack("down"));
  },
  5 * MINUTES,
);

/** The agents remove its rules: they check their machine every 10 s. */
async function untilKubeProxyIsGone(): Promise<void> {
  for (const machine of ["master", "node"]) {
    const chains = async () => (await ended(inMachine(machine, "nft", "list", "chains"))).stdout;
    await expect.poll(chains, { timeout: MINUTES, interval: 1000 }).not.toMatch(/KUBE-(SERVICES|SVC)|kube-proxy/);
  }
}

const verification = (): { passed: number; failed: number; rows: Row[]; topology?: { paths: Path[] } } =>
  JSON.parse(readFileSync(result("verification.json"), "utf8"));

/** What was observed of a client's connections to the node port of one family: with every client admitted, then as declared. */
const observed = (client: string, family: "IPv4" | "IPv6"): string[] =>
  verification()
    .rows.filter(({ from, to }) => from === client && to === `tcp://${ENTRIES[family]}`)
    .map((row) => row.observed);

/** Names and UIDs of all pods, or of those on one node: a re-created pod has a new UID. */
async function podIdentities(node?: string): Promise<string[]> {
  const columns = "jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {.metadata.uid}{'\\n'}{end}";
  const on = node === undefined ? [] : ["--field-selector", `spec.nodeName=${node}`];
  const { stdout } = await ended(
    inMachine("master", "kubectl", "get", "pods", "--all-namespaces", ...on, "--output", columns),
  );
  return stdout.trim().split("\n").sort();
}
