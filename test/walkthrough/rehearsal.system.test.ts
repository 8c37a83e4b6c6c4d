// The stack for AWS without AWS, as a user does it: every instance runs its own rendered user data on a machine of a lab, against a
// metadata service and parameters that look at signatures and roles. The tests are one story: each begins where the one before ended.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Traces, tracesOf } from "./host.ts";
import { ended, inMachine, LAB, lab, rehearsal, root } from "./stack.ts";

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

const machineFile = (machine: string, path: string) =>
  join("/var/lib/ebpf-dataplane/labs", LAB, "machines", machine, "disk", path);

test(
  "the rendered user data of all instances makes the walk-through's cluster",
  async () => {
    await ended(rehearsal());
    expect(verification()).toMatchObject({ passed: 4, failed: 0 });
    for (const machine of ["master", "node"]) {
      const userData = readFileSync(machineFile(machine, "var/lib/cloud/instance/user-data.txt"), "utf8");
      expect(userData).toMatch(/^#!\/bin\/bash\n/);
      expect(userData.length).toBeLessThan(16 * 1024);
    }
    // Nothing that a client or a node needs was kept away by the security groups.
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

test("a role may do nothing that its policy does not say", async () => {
  const script = `set -e; PARAMETERS=/ebpf-dataplane/cluster-aws; . ${join(root, "components/bootstrap/parameters.sh")}; get_parameter`;
  const onNode = (parameter: string) => inMachine("node", "bash", "-c", `${script} ${parameter}`);
  expect((await ended(onNode("join"))).stdout).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16} sha256:[0-9a-f]{64} v1\.\d+\.\d+/);
  expect((await onNode("kubeconfig").end).stdout).not.toContain("client-key-data");
});

test(
  "a worker that was taken away is made anew, and joins",
  async () => {
    await ended(lab("terminate", LAB, "node"));
    expect(existsSync(machineFile("node", ""))).toBe(false);
    await ended(rehearsal());
    expect(verification()).toMatchObject({ passed: 4, failed: 0 });
  },
  15 * MINUTES,
);

test(
  "with the source/destination check on, direct returns fail, and it is said why",
  async () => {
    const { stderr } = await ended(rehearsal("--config", "ebpf-dataplane:sourceDestCheck=true"), 1);
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
  JSON.parse(readFileSync(join(root, "out", "verification.json"), "utf8"));
