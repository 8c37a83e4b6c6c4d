// The life of the AWS stack after its creation: upgrades, killed ones too, lost machines and settings that break DSR. Ten minutes, so it is
// part of `make campaigns`. The tests form one story: each continues from the previous one.
import { execFile } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { KUBERNETES } from "../../tools/versions.ts";
import { ENTRIES, MINUTES, rehearsalOf } from "./rehearsal.ts";
import { ended, root } from "./stack.ts";
import { oneStory } from "./story.ts";

const { expectProof, inMachine, lab, LAB, machineFile, rehearsal, testRemoval } = rehearsalOf("next", ["IPv4", "IPv6"]);
oneStory();

/** The next patch release: the same code with another version number, by tools/relink.ts. */
const NEXT = KUBERNETES.replace(/\d+$/, (patch) => String(Number(patch) + 1));
const toNext = ["--config", `ebpf-dataplane:kubernetesVersion=${NEXT}`];

test(
  "a cluster of the first release is created",
  async () => {
    await ended(rehearsal());
    expectProof();
  },
  15 * MINUTES,
);

test(
  "an upgrade that was killed is taken up by the next run, and clients are served meanwhile",
  async () => {
    await promisify(execFile)(process.execPath, [join(root, "tools/relink.ts"), NEXT], { timeout: 10 * MINUTES });
    await ended(kubectl("apply", "-f", join(root, "test/walkthrough/served.yaml")));
    await ended(kubectl("rollout", "status", "deployment/served", "--timeout=120s"));
    const ask = "curl --silent --globoff --fail --max-time 5 --output /dev/null";
    const each = Object.values(ENTRIES).map(
      (entry) => `${ask} "http://${entry}:30605" && echo served || echo "lost ${entry}"`,
    );
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

    expectProof();
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
    expectProof();
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

testRemoval();

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
