// Worlds by chance, compiled and written to the maps in the kernel: what the real programs do with packets (BPF_PROG_TEST_RUN) is what
// Calico's documentation says. Each world is changed to another one while its connections exist.
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { noKernel, temporaryBpffs } from "../../../agent/kernel/bpffs.fixture.ts";
import { enterNamespace } from "../../../agent/kernel/namespace.fixture.ts";
import { preparedObjects } from "../../packets/objects.ts";
import { worldInWords } from "../calico/comparison.ts";
import { misunderstanding } from "../calico/misunderstood.ts";
import { randomWorld } from "../calico/random-world.ts";
import { differences } from "./differences.ts";
import { WorldNode } from "./world-node.ts";

if (noKernel) console.log(noKernel);

/** Pairs of worlds, and of each world's packets every so-manieth. */
const PAIRS = 350;
const EVERY = 29;
const seed = Number(process.env.SEED || 20_261_128);

describe.skipIf(noKernel)("the programs in the kernel", () => {
  const { folder, bpf } = temporaryBpffs();
  enterNamespace();
  let node: WorldNode;
  beforeAll(async () => {
    const { objects } = await preparedObjects(folder);
    node = new WorldNode({ objects, bpffs: bpf, scratch: folder });
  });

  test(`judge packets as the evaluator does, and again when policies change (SEED=${seed})`, () => {
    const counts = { packets: 0, refused: 0 };
    fc.assert(
      fc.property(randomWorld, randomWorld, fc.nat(EVERY - 1), (first, second, start) => {
        const wrong = differences(node, [first, second], { every: EVERY, start }, counts);
        expect(wrong, `\n${worldInWords(first)}\nthen, with the pods of before:\n${worldInWords(second)}\n`).toEqual(
          [],
        );
      }),
      { numRuns: PAIRS, seed },
    );
    expect(counts.packets).toBeGreaterThan(30_000);
    expect(counts.refused).toBeGreaterThan(10_000);
  });

  test.each([
    ...(["Pass ends evaluation", "notNets is an alternative", "a host endpoint without policy is open"] as const),
    ...(["every policy is applied to forwarded traffic", "preDNAT ends in the default action"] as const),
  ])("would differ from an evaluator that is wrong: %s", (name) => {
    const property = fc.property(randomWorld, (world) => {
      const wrong = misunderstanding(name, () => differences(node, [world], { every: EVERY, start: 0 }));
      return wrong.length === 0;
    });
    expect(fc.check(property, { numRuns: PAIRS, seed, endOnFailure: true }).failed).toBe(true);
  });
});
