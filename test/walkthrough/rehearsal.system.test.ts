// The stack for AWS without AWS, and a whole cluster of IPv6 alone, as a user does it: every instance runs its own rendered user data on a
// machine of a lab, against a metadata service and a parameter store that check signatures and roles. The tests form one story: each continues
// from the previous one.
// Upgrades, lost machines and dual stack are in rehearsal.upgrade.campaign.test.ts; the walk-through is dual stack.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MINUTES, rehearsalOf } from "./rehearsal.ts";
import { ended, root } from "./stack.ts";
import { oneStory } from "./story.ts";

const { LAB, expectProof, inMachine, lab, machineFile, rehearsal, testRemoval } = rehearsalOf("aws", ["IPv6"]);
oneStory();

test(
  "the rendered user data of all instances creates the walk-through's cluster",
  async () => {
    await ended(rehearsal());
    expectProof();
    for (const machine of ["master", "node"]) {
      const userData = readFileSync(machineFile(machine, "var/lib/cloud/instance/user-data.txt"), "utf8");
      expect(userData).toMatch(/^#!\/bin\/bash\n/);
      expect(userData.length).toBeLessThan(16 * 1024);
    }
    // The security groups blocked nothing that a client or a node needs.
    expect((await ended(lab("drops", LAB))).stdout).toBe("");
  },
  30 * MINUTES,
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

testRemoval();
