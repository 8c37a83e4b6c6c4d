// The stack for AWS without AWS, dual stack, as a user does it: every instance runs its own rendered user data on a machine of a lab, against a
// metadata service and a parameter store that check signatures and roles. The tests form one story: each continues from the previous one.
import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { KUBERNETES } from "../../tools/versions.ts";
import { type Traces, tracesOf } from "./host.ts";
import { commandsOf, ended, root } from "./stack.ts";
import { oneStory } from "./story.ts";

const { LAB, inMachine, lab, rehearsal: rehearse, result } = commandsOf("aws");
const rehearsal = (...options: string[]) => rehearse("--config", "ebpf-dataplane:dualStack=true", ...options);
oneStory();

/** By address family, the entry node: an IPv6 address of a machine ends with its IPv4 address. */
const ENTRIES = ["172.31.1.8", "[fd00:172:31:1::ac1f:108]"];
/** Each client to each of them, with every client admitted, then as declared. */
const ROWS = 8;

const MINUTES = 60_000;
let before: Traces;

beforeAll(async () => {
  // Left by a test that was killed.
  await ended(rehearsal("--remove"));
  before = tracesOf(LAB);
}, 5 * MINUTES);

afterAll(async () => {
  await rehearsal("--remove").end;
}, 5 * MINUTES);

/** The next patch release: the same code with another version number, by tools/relink.ts. */
const NEXT = KUBERNETES.replace(/\d+$/, (patch) => String(Number(patch) + 1));
const toNext = ["--config", `ebpf-dataplane:kubernetesVersion=${NEXT}`];

const machineFile = (machine: string, path: string) =>
  join("/var/lib/ebpf-dataplane/labs", LAB, "machines", machine, "disk", path);

test(
  "the rendered user data of all instances creates the walk-through's cluster",
  async () => {
    await ended(rehearsal());
    expect(verification()).toMatchObject({ passed: ROWS, failed: 0 });
    for (const machine of ["master", "node"]) {
      const userData = readFileSync(machineFile(machine, "var/lib/cloud/instance/user-data.txt"), "utf8");
      expect(userData).toMatch(/^#!\/bin\/bash\n/);
      expect(userData.length).toBeLessThan(16 * 1024);
    }
    // The security groups blocked nothing that a client or a node needs.
    expect((await ended(lab("drops", LAB))).stdout).toBe("");
  },
  15 * MINUTES,
);

test("no token and no kubeconfig is in a log of an instance", () => {
  for (const machine of ["master", "node"]) {
    const log = readFileSync(machineFile(machine, "var/log/bootstrap.log"), "utf8");
    expect(log).not.toMatch(/\b[a-z0-9]{6}\.[a-z0-9]{16}\b|client-key-data/);
  }
});

test("a role may do only what its policy allows", async () => {
  const script = `set -e; PARAMETERS=/ebpf-dataplane/cluster-aws; . ${join(root, "components/bootstrap/parameters.sh")}; get_parameter`;
  const onNode = (parameter: string) => inMachine("node", "bash", "-c", `${script} ${parameter}`);
  expect((await ended(onNode("join"))).stdout).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16} sha256:[0-9a-f]{64} v1\.\d+\.\d+/);
  expect((await onNode("kubeconfig").end).stdout).not.toContain("client-key-data");
});

test(
  "an upgrade that was killed is taken up by the next run, and clients are served meanwhile",
  async () => {
    await promisify(execFile)(process.execPath, [join(root, "tools/relink.ts"), NEXT], { timeout: 10 * MINUTES });
    await ended(kubectl("apply", "-f", join(root, "test/walkthrough/served.yaml")));
    await ended(kubectl("rollout", "status", "deployment/served", "--timeout=120s"));
    const ask = "curl --silent --globoff --fail --max-time 5 --output /dev/null";
    const each = ENTRIES.map((entry) => `${ask} "http://${entry}:30605" && echo served || echo "lost ${entry}"`);
    const loop = `until [ -e /tmp/stop ]; do ${each.join("; ")}; sleep 0.1; done`;
    const client = inMachine("client1", "bash", "-c", loop);

    const killed = rehearsal(...toNext);
    while ((await kubectl("--namespace=kube-system", "get", "pod", "kubernetes-upgrade-master").end).status !== 0) {
      await pause(200);
    }
    process.kill(-killed.pid, "SIGKILL");
    await killed.end;
    await ended(rehearsal(...toNext));
    writeFileSync(machineFile("client1", "tmp/stop"), "");

    expect(verification()).toMatchObject({ passed: ROWS, failed: 0 });
    expect(await nodes()).toEqual([`master ${NEXT}+relinked`, `node ${NEXT}+relinked`]);
    const lines = (await ended(client)).stdout.trim().split("\n");
    expect(lines.filter((line) => line !== "served")).toEqual([]);
    expect(lines.length).toBeGreaterThan(100);
  },
  20 * MINUTES,
);

test(
  "there is no way back",
  async () => {
    const { stderr } = await ended(rehearsal(), 2);
    expect(stderr).toContain(`runs Kubernetes ${NEXT} already, and there is no way back to ${KUBERNETES}`);
  },
  5 * MINUTES,
);

test(
  "a deleted worker is re-created, and joins with the release of the cluster",
  async () => {
    await ended(lab("terminate", LAB, "node"));
    expect(existsSync(machineFile("node", ""))).toBe(false);
    await ended(rehearsal(...toNext));
    expect(verification()).toMatchObject({ passed: ROWS, failed: 0 });
    expect(await nodes()).toContain(`node ${NEXT}+relinked`);
  },
  15 * MINUTES,
);

test(
  "with the source/destination check on, DSR fails, and the reason is reported",
  async () => {
    const { stderr } = await ended(rehearsal(...toNext, "--config", "ebpf-dataplane:sourceDestCheck=true"), 1);
    expect(stderr).toContain("node: a source that is not its own");
    expect(stderr).toContain("sourceDestCheck: false");
  },
  15 * MINUTES,
);

test(
  "removing leaves nothing",
  async () => {
    await ended(rehearsal("--remove"));
    expect(tracesOf(LAB)).toEqual(before);
  },
  5 * MINUTES,
);

const verification = (): { passed: number; failed: number } =>
  JSON.parse(readFileSync(result("verification.json"), "utf8"));

const kubectl = (...words: string[]) => inMachine("master", "kubectl", ...words);

/** Names and releases of the nodes that take pods. */
async function nodes(): Promise<string[]> {
  const columns = "custom-columns=A:.metadata.name,B:.status.nodeInfo.kubeletVersion,C:.spec.unschedulable";
  const { stdout } = await ended(kubectl("get", "nodes", "--no-headers", "--output", columns));
  const rows = stdout
    .trim()
    .split("\n")
    .map((line) => line.split(/\s+/));
  return rows.filter(([, , isCordoned]) => isCordoned === "<none>").map(([name, release]) => `${name} ${release}`);
}
