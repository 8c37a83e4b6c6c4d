// Every wrong understanding of the semantics is noticed: some packet of a bounded number of worlds is judged otherwise. What the packets are
// compared with is what comparison.test.ts shows the compiled maps to say.
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { directed } from "./directed.ts";
import { egressOf } from "./egress.ts";
import { podEntity } from "./entities.ts";
import { podVerdict } from "./evaluate.ts";
import { hostVerdict, ownNodeVerdict } from "./hosts.ts";
import { MISUNDERSTANDINGS, type Misunderstanding, misunderstanding } from "./misunderstood.ts";
import type { World } from "./objects.ts";
import { hostQuestions, ownNodeQuestions, questions } from "./packets.ts";
import { randomWorld } from "./random-world.ts";

const WORLDS = 1000;
const worlds: readonly World[] = [...directed, ...fc.sample(randomWorld, { numRuns: WORLDS, seed: 1 })];
const names = Object.keys(MISUNDERSTANDINGS) as Misunderstanding[];

/** Every verdict about a fixed choice of a world's packets, as one text. */
function verdicts(world: World, place: number): string {
  const few = place < directed.length ? 1 : 23;
  // Another directed world changes no choice.
  const index = place < directed.length ? 0 : place - directed.length;
  return [
    ...questions(world, few, index).map(({ pod, direction, packet }) =>
      podVerdict(world, podEntity(world, pod), direction, packet),
    ),
    ...questions(world, few, index).map(({ packet }) => egressOf(world, packet)),
    ...ownNodeQuestions(world, few, index).map(({ packet }) => ownNodeVerdict(world, packet)),
    ...hostQuestions(world, few === 1 ? 1 : 2 * few + 1, index).map((question) => hostVerdict(world, question)),
  ].join();
}

let right: string[];
beforeAll(() => {
  right = worlds.map(verdicts);
});

test("there are at least 40", () => expect(names.length).toBeGreaterThanOrEqual(40));

test.each(names)("%s", (name) => {
  const noticed = misunderstanding(name, () =>
    worlds.findIndex((world, index) => verdicts(world, index) !== right[index]),
  );
  expect(noticed, MISUNDERSTANDINGS[name]).toBeGreaterThanOrEqual(0);
});
