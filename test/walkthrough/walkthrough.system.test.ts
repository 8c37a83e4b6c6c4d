// The walk-through end to end over both address families, as a user does it: a killed run, up, a lost worker, the other return mode,
// kube-proxy, down. The tests form one story: each continues from the previous one. Each `up` costs half a minute, so none repeats what
// another one shows. What people ask of the cluster between up and down is in walkthrough.checks.system.test.ts, on a cluster of its own.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ListedLab } from "../../lab/list/list.ts";
import { clusterStatusSchema } from "../../verify/status/cluster-status.ts";
import { keepEvidence } from "./evidence.ts";
import { isLeft, leftSince, type Traces, tracesOf } from "./host.ts";
import { CLIENT, ENTRIES, ENTRY, FAMILIES, MINUTES, observationsOf } from "./observations.ts";
import { wayOf } from "./results.ts";
import { commandsOf, ended, root } from "./stack.ts";
import { oneStory } from "./story.ts";
import { testWatch } from "./watching.ts";

const commands = commandsOf("walk");
const { LAB, inMachine, lab, stack, status } = commands;
const { observed, podIdentities, untilKubeProxyIsGone, verification } = observationsOf(commands);
oneStory((test) => keepEvidence(commands, test));

let before: Traces;

/** What the list of labs says of this one. */
async function listed(): Promise<ListedLab | undefined> {
  const { stdout } = await ended(lab("list", "--json"));
  return (JSON.parse(stdout) as ListedLab[]).find(({ lab }) => lab === LAB);
}

beforeAll(async () => {
  // Left by a test that was killed.
  if (isLeft(LAB)) await ended(stack("down"));
  before = tracesOf(LAB);
}, 15 * MINUTES);

afterAll(async () => {
  if (isLeft(LAB)) await stack("down").end;
}, 15 * MINUTES);

test("preview shows the planned resources, and changes nothing", async () => {
  const { stdout, stderr } = await ended(stack("preview"));
  for (const name of ["LocalCluster", "DaemonSet", "NetworkPolicy", "SourceIpVerification"])
    expect(stdout + stderr).toContain(name);
  await expect.poll(() => leftSince(before, LAB)).toEqual({});
});

test(
  "up after a killed up ends with a cluster whose pods see their clients, in DSR mode",
  async () => {
    const killed = stack("up");
    // In the middle of the most critical step: the control plane is half created.
    const initialising = () => tracesOf(LAB).processes.some((line) => line.includes("kubeadm init"));
    await expect.poll(initialising, { timeout: 15 * MINUTES, interval: 100 }).toBe(true);
    process.kill(-killed.pid, "SIGKILL");
    await killed.end;
    await expect.poll(listed).toMatchObject({ state: "incomplete", remove: expect.stringContaining(`down ${LAB}`) });
    await ended(stack("up"));
    expect(verification()).toMatchObject({ failed: 0 });
    for (const family of FAMILIES) {
      expect(observed("client1", family)).toEqual(Array(2).fill(`allowed from ${CLIENT[family]}, reply direct`));
      expect(observed("client2", family)[1]).toBe("dropped");
    }
    const [path] = verification().topology?.paths ?? [];
    expect(path && wayOf(path)).toEqual(["client1", "master", "node", "nginx", "node", "client1"]);
  },
  40 * MINUTES,
);

test("all nodes are Ready, CoreDNS runs, and no kube-proxy runs", async () => {
  const ready =
    "jsonpath={range .items[*]}{.metadata.name} {.status.conditions[?(@.type=='Ready')].status}{'\\n'}{end}";
  const { stdout } = await ended(inMachine("master", "kubectl", "get", "nodes", "--output", ready));
  expect(stdout.trim().split("\n").sort()).toEqual(["master True", "node True"]);
  await ended(
    inMachine("master", "kubectl", "-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=840s"),
  );
  expect((await podIdentities()).join()).not.toContain("kube-proxy");
});

test("the list of labs has it, with its stack, its machines and what they need", async () => {
  // An API server that takes longer than two seconds is not ready in the list's eyes.
  await expect.poll(listed).toMatchObject({
    state: "ready",
    stack: "ebpf-dataplane.local",
    checkout: root,
    kubernetesVersion: "v1.35.0",
    machines: [
      { name: "master", running: true },
      { name: "node", running: true },
      { name: "client1", running: true },
      { name: "client2", running: true },
    ],
    apiServer: { ready: true },
  });
  expect((await listed())?.memoryBytes).toBeGreaterThan(100 * 2 ** 20);
});

test("the status is that of every node, with what the policy refused", async () => {
  const { ready, nodes } = clusterStatusSchema.parse(JSON.parse((await ended(status("--wait"))).stdout));
  expect(nodes.flatMap(({ problems }) => problems)).toEqual([]);
  expect(ready).toBe(true);
  expect(nodes.map(({ node, status }) => [node, status?.returnMode])).toEqual([
    ["master", "dsr"],
    ["node", "dsr"],
  ]);
  expect(nodes.reduce((sum, { status }) => sum + (status?.refused.drop_policy_ingress ?? 0), 0)).toBeGreaterThan(0);
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
  // dac_override, net_bind_service, net_admin, sys_admin, perfmon, bpf (linux/capability.h)
  expect(stdout).toMatch(/^CapBnd:\s*000000c000201402$/m);
  expect(stdout).toMatch(/^Seccomp:\s*2$/m);
  expect(stdout).toMatch(/^NoNewPrivs:\s*1$/m);
});

const OWN = "team/shop:1";
const LIST = ["ctr", "--namespace", "k8s.io", "images", "list", "--quiet"];

test(
  "a pod starts with an image of the user's",
  async () => {
    // The sample's content, by a name that no node has.
    const built = JSON.parse(readFileSync(join(root, "dist/images.json"), "utf8")) as {
      names: string[];
      file: string;
    }[];
    const archive = built.find(({ names }) => names.some((name) => name.endsWith("/nginx:latest")))?.file;
    const kubectl = (...words: string[]) => ended(inMachine("master", "kubectl", ...words));
    const { stdout } = await ended(lab("image", LAB, String(archive), "--tag", OWN));
    expect(stdout).toContain(`image: ${OWN}`);
    await kubectl("run", "shop", `--image=${OWN}`, "--image-pull-policy=Never");
    await kubectl("wait", "--for=condition=Ready", "pod/shop", "--timeout=840s");
    await kubectl("delete", "pod", "shop", "--grace-period=1");
  },
  15 * MINUTES,
);

test(
  "a worker that lost its machine joins again, with a new token and the user's images, which can be listed and removed, and the other node's pods are not changed",
  async () => {
    const [tokens, pods] = [await tokenEnds(), await podIdentities("master")];
    await ended(lab("terminate", LAB, "node"));
    // For `watch` below; what follows does without it again.
    await ended(stack("up", "--config", "ebpf-dataplane:flowLogsLocalReporter=Enabled"));
    expect((await tokenEnds()).length).toBe(tokens.length + 1);
    expect(verification()).toMatchObject({ failed: 0 });
    expect(await podIdentities("master")).toEqual(expect.arrayContaining(pods));
    const { stdout } = await ended(inMachine("node", ...LIST));
    expect(stdout.split("\n")).toContain(`docker.io/${OWN}`);
    const images = async () => JSON.parse((await ended(lab("images", LAB, "--json"))).stdout);
    expect(await images()).toMatchObject([{ image: OWN, nodes: ["master", "node"], missing: [] }]);
    await ended(lab("images", LAB, "--remove", OWN));
    expect(await images()).toEqual([]);
    expect((await ended(inMachine("node", ...LIST))).stdout).not.toContain(OWN);
  },
  30 * MINUTES,
);

test("client1 gets nginx's page and is logged with its own address, client2 gets no answer, in both families", async () => {
  const script = (url: string, patienceMs: number) =>
    `fetch(${JSON.stringify(url)}, {signal: AbortSignal.timeout(${patienceMs})}).then(async (r) => console.log(await r.text()), () => process.exit(7))`;
  const fetched = (client: string, family: "IPv4" | "IPv6", status: number) => {
    const url = `http://${ENTRIES[family]}/?${family}-by-${client}`;
    return ended(inMachine(client, process.execPath, "-e", script(url, status === 0 ? MINUTES : 3000)), status);
  };
  const [pages] = await Promise.all([
    Promise.all(FAMILIES.map((family) => fetched("client1", family, 0))),
    Promise.all(FAMILIES.map((family) => fetched("client2", family, 7))),
  ]);
  for (const { stdout } of pages) expect(stdout).toContain("Welcome to nginx!");
  // A line is written after the answer has left.
  const sources = async () => {
    const { stdout: log } = await ended(inMachine("master", "kubectl", "logs", "deployment/nginx"));
    const logged = log.split("\n").filter((line) => line.includes("-by-client"));
    return logged.map((line) => [line.split(" ")[0], /\?(IPv.-by-client\d)/.exec(line)?.[1]]).sort();
  };
  await expect.poll(sources).toEqual(FAMILIES.map((family) => [CLIENT[family], `${family}-by-client1`]));
});

testWatch(commands);

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
  30 * MINUTES,
);

test(
  "down leaves nothing",
  async () => {
    await ended(stack("down"));
    await expect.poll(() => leftSince(before, LAB)).toEqual({});
    await ended(stack("down"));
  },
  15 * MINUTES,
);
