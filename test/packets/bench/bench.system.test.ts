// The benchmark of packets, as short as it can be: that each kind is what it says. Never what it measures.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { noKernel } from "../../../agent/kernel/bpffs.fixture.ts";
import { run } from "../../../tools/command.ts";
import type { PacketCosts } from "./summary.ts";

const noRevision = spawnSync("git", ["rev-parse", "--verify", "HEAD"], { cwd: import.meta.dirname }).status !== 0;

test("each kind of packet ends as in the dataplane, in this version and in a revision", async ({ skip }) => {
  if (noKernel) skip(noKernel);
  if (noRevision) skip("SKIP: the checkout has no revisions to measure against");
  const main = join(import.meta.dirname, "main.ts");
  const printed = await run(process.execPath, [main, "--trial", "--json"], { timeoutSeconds: 840 });
  const { kinds } = JSON.parse(printed) as PacketCosts;
  expect(Object.fromEntries(kinds.map(({ say, outcome }) => [say, outcome]))).toEqual(OUTCOMES);
  for (const { single } of kinds) expect(single.now.value).toBeGreaterThan(0);
});

const OUTCOMES = {
  "client to pod, known": "to_endpoint",
  "pod's answer to a client, known": "to_network",
  "client to node port, pod here, known": "to_endpoint",
  "pod's answer by a node port, known": "to_network",
  "client to node port, pod elsewhere, known": "forward_service",
  "XDP: client to node port, pod elsewhere, known": "forward_service",
  "the same at the pod's node, wrapped, known": "to_endpoint",
  "answer on its way back through the entry node": "return_forwarded",
  "pod to pod, here, known": "to_endpoint",
  "pod to pod elsewhere, wrapped, known": "to_overlay",
  "pod from pod elsewhere, wrapped, known": "to_endpoint",
  "pod from pod elsewhere, plain, known": "to_endpoint",
  "client to the node itself": "pass_to_stack",
  "node to its pod": "to_endpoint",
  "node to a client": "pass_to_stack",
  "first packet, client to pod": "to_endpoint",
  "first packet, node port, pod here": "to_endpoint",
  "first packet, node port, pod elsewhere": "forward_service",
  "first packet, pod to service": "to_endpoint",
  "refused by policy": "drop_policy_ingress",
  "refused by policy, again": "drop_policy_ingress",
  "XDP: refused by policy, again": "drop_policy_ingress",
  "forged: the node's own address": "drop_martian_source",
  "forged: a pod's address": "drop_spoofed_source",
  "ICMP error about a pod's flow": "to_endpoint",
};
