// The walk-through's cluster as its stories see it: the addresses that it has, and what is observed of it.
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { clusterStatusSchema } from "../../verify/status/cluster-status.ts";
import type { Path, Row } from "./results.ts";
import { type commandsOf, ended } from "./stack.ts";

export const MINUTES = 60_000;
export const FAMILIES = ["IPv4", "IPv6"] as const;
export type Family = (typeof FAMILIES)[number];
/** The walk-through's node port, on the node that nginx is not on, by address family. */
export const ENTRIES = { IPv4: "172.31.1.8:30604", IPv6: "[fd00:172:31:1::8]:30604" };
/** By address family, what nginx sees of client1 and of the entry node. */
export const CLIENT = { IPv4: "172.31.1.55", IPv6: "fd00:172:31:1::55" };
export const ENTRY = { IPv4: "172.31.1.8", IPv6: "fd00:172:31:1::8" };

export interface Verified {
  passed: number;
  failed: number;
  rows: Row[];
  topology?: { paths: Path[] };
}

export function observationsOf({ inMachine, result, status }: ReturnType<typeof commandsOf>) {
  const verification = (): Verified => JSON.parse(readFileSync(result("verification.json"), "utf8"));
  return {
    verification,
    /** What was observed of a client's connections to the node port of one family: with every client admitted, then as declared. */
    observed: (client: string, family: Family): string[] =>
      verification()
        .rows.filter(({ from, to }) => from === client && to === `tcp://${ENTRIES[family]}`)
        .map((row) => row.observed),
    /** The agents of both nodes handle Services so, and nothing waits for the kernel. */
    async untilHandled(mode: { returnMode?: string; serviceHandling?: string }): Promise<void> {
      const modes = async () => {
        const { nodes } = clusterStatusSchema.parse(JSON.parse((await status().end).stdout));
        return nodes.map((node) => node.status);
      };
      const wanted = { ...mode, waitingSeconds: 0 };
      await expect.poll(modes, { interval: 500 }).toMatchObject([wanted, wanted]);
    },
    /** The agents remove its rules: they check their machine every 10 s. */
    async untilKubeProxyIsGone(): Promise<void> {
      for (const machine of ["master", "node"]) {
        const chains = async () => (await ended(inMachine(machine, "nft", "list", "chains"))).stdout;
        await expect
          .poll(chains, { timeout: 5 * MINUTES, interval: 1000 })
          .not.toMatch(/KUBE-(SERVICES|SVC)|kube-proxy/);
      }
    },
    /** Names and UIDs of all pods, or of those on one node: a re-created pod has a new UID. */
    async podIdentities(node?: string): Promise<string[]> {
      const columns = "jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {.metadata.uid}{'\\n'}{end}";
      const on = node === undefined ? [] : ["--field-selector", `spec.nodeName=${node}`];
      const { stdout } = await ended(
        inMachine("master", "kubectl", "get", "pods", "--all-namespaces", ...on, "--output", columns),
      );
      return stdout.trim().split("\n").sort();
    },
  };
}
