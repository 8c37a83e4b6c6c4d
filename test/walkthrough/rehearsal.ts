// A story on a rehearsal: the stack for AWS on a lab of its own.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isLeft, leftSince, type Traces, tracesOf } from "./host.ts";
import { commandsOf, ended } from "./stack.ts";

/** By address family, the entry node: an IPv6 address of a machine ends with its IPv4 address. */
export const ENTRIES = { IPv4: "172.31.1.8", IPv6: "[fd00:172:31:1::ac1f:108]" };
/** Of each family: each of two clients, with every client admitted, then as declared. */
const ROWS = 4;

export const MINUTES = 60_000;

/**
 * @param story at most 4 letters; its tests run between what this begins and `removed`
 * @param families of nodes, pods and Services
 */
export function rehearsalOf(story: string, families: (keyof typeof ENTRIES)[]) {
  const { LAB, inMachine, lab, rehearsal: rehearse, result } = commandsOf(story);
  const rehearsal = (...options: string[]) =>
    rehearse("--config", `ebpf-dataplane:ipFamilies=${JSON.stringify(families)}`, ...options);
  let before: Traces;

  beforeAll(async () => {
    // Left by a test that was killed.
    if (isLeft(LAB)) await ended(rehearsal("--remove"));
    before = tracesOf(LAB);
  }, 15 * MINUTES);

  afterAll(async () => {
    if (isLeft(LAB)) await rehearsal("--remove").end;
  }, 15 * MINUTES);

  return {
    LAB,
    inMachine,
    lab,
    rehearsal,
    machineFile: (machine: string, path: string) =>
      join("/var/lib/ebpf-dataplane/labs", LAB, "machines", machine, "disk", path),
    /** The verification of the last rehearsal held in every row. */
    expectProof: () =>
      expect(JSON.parse(readFileSync(result("verification.json"), "utf8"))).toMatchObject({
        passed: ROWS * families.length,
        failed: 0,
      }),
    /** The last test of the story. */
    testRemoval: () =>
      test(
        "removing leaves nothing",
        async () => {
          await ended(rehearsal("--remove"));
          await expect.poll(() => leftSince(before, LAB)).toEqual({});
        },
        15 * MINUTES,
      ),
  };
}
