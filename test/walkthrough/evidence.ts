// What is kept of a cluster when a check of it fails: it is gone when the story has ended.
import { rmSync } from "node:fs";
import { isLeft } from "./host.ts";
import type { commandsOf, Running } from "./stack.ts";

/** A cluster that does not answer must not keep the story from its end. */
const PATIENCE_MS = 120_000;

const LISTS = {
  "pods and their addresses": [
    "get",
    "pods",
    "--all-namespaces",
    "--output=custom-columns=POD:.metadata.name,NODE:.spec.nodeName,PHASE:.status.phase,STARTED:.status.startTime,ADDRESSES:.status.podIPs[*].ip",
  ],
  "nodes and their addresses": [
    "get",
    "nodes",
    "--output=custom-columns=NODE:.metadata.name,ADDRESSES:.status.addresses[*].address",
  ],
  "Services and their addresses": [
    "get",
    "services",
    "--all-namespaces",
    "--output=custom-columns=SERVICE:.metadata.name,FAMILIES:.spec.ipFamilies,ADDRESSES:.spec.clusterIPs,MADE:.metadata.creationTimestamp",
  ],
  EndpointSlices: [
    "get",
    "endpointslices",
    "--all-namespaces",
    "--output=custom-columns=SLICE:.metadata.name,FAMILY:.addressType,ADDRESSES:.endpoints[*].addresses[*],MADE:.metadata.creationTimestamp",
  ],
  "logs of the agents": [
    "logs",
    "--namespace=ebpf-dataplane",
    "--selector=k8s-app=ebpf-dataplane",
    "--tail=100",
    "--prefix",
    "--timestamps",
  ],
} as const;

type Commands = Pick<ReturnType<typeof commandsOf>, "LAB" | "bundle" | "inMachine" | "result">;

/** Writes an archive for support beside the story's other results, and prints what tells most: a CI's checkout may be gone, too. Never fails. */
export async function keepEvidence({ LAB, bundle, inMachine, result }: Commands, test: string): Promise<void> {
  if (!isLeft(LAB)) return;
  const archive = result("failed.tar.gz");
  rmSync(archive, { force: true });
  const written = await withinPatience(bundle("--out", archive));
  const parts = [`"${test}" failed. What the cluster was like then: ${archive}\n${written}`];
  for (const [what, words] of Object.entries(LISTS))
    parts.push(`--- ${what}\n${await withinPatience(inMachine("master", "kubectl", ...words))}`);
  console.error(parts.join("\n"));
}

async function withinPatience({ pid, end }: Running): Promise<string> {
  const timer = setTimeout(() => endGroup(pid), PATIENCE_MS);
  try {
    const { status, stdout, stderr } = await end;
    return `${stdout}${stderr}${status === 0 ? "" : `(ended with status ${status})`}`;
  } catch (error) {
    return `(${error instanceof Error ? error.message : error})`;
  } finally {
    clearTimeout(timer);
  }
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has just ended by itself.
  }
}
