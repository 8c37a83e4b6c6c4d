// Worlds by chance: what the compiled maps say of packets is what Calico's documentation says.
import fc from "fast-check";
import { expect, test } from "vitest";
import { disagreements, hostDisagreements, worldInWords } from "./comparison.ts";
import { followed } from "./compiled.ts";
import { directed } from "./directed.ts";
import type { World } from "./objects.ts";
import { hostQuestions, questions } from "./packets.ts";
import { randomWorld } from "./random-world.ts";

/** Worlds, and of each world's packets every so-manieth. */
const WORLDS = 800;
const EVERY = 19;
const seed = Number(process.env.SEED || 20_261_128);

test(`the compiled maps judge packets as the evaluator does (SEED=${seed})`, () => {
  let packets = 0;
  fc.assert(
    fc.property(randomWorld, fc.nat(EVERY - 1), (whole, start) => {
      const world = followed(whole);
      const asked = questions(world, EVERY, start);
      packets += asked.length;
      const wrong = disagreements(world, asked);
      expect(wrong, `\n${worldInWords(world)}\n`).toEqual([]);
    }),
    { numRuns: WORLDS, seed },
  );
  expect(packets).toBeGreaterThan(12_000);
});

test("packets at the node's interfaces are judged so too, its own and those that it forwards", () => {
  let packets = 0;
  fc.assert(
    fc.property(randomWorld, fc.nat(EVERY - 1), (whole, start) => {
      const world = followed(whole);
      const asked = hostQuestions(world, EVERY, start);
      packets += asked.length;
      expect(hostDisagreements(world, asked), `\n${worldInWords(world)}\n`).toEqual([]);
    }),
    { numRuns: WORLDS / 2, seed },
  );
  expect(packets).toBeGreaterThan(1500);
});

test.each([...directed.keys()])("and so in directed world %i", (index) => {
  const world = followed(directed[index] as World);
  expect(disagreements(world, questions(world))).toEqual([]);
});
