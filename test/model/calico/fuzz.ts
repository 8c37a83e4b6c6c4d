// `make fuzz WORLDS=100000`: worlds by chance without end (or as many as WORLDS says), each with all its packets. SEED=… repeats a run: the seed is
// printed at the beginning, and with a difference the smallest world that shows it.
import fc from "fast-check";
import { disagreements, worldInWords } from "./comparison.ts";
import { followed } from "./compiled.ts";
import { questions } from "./packets.ts";
import { randomWorld } from "./random-world.ts";

const seed = Number(process.env.SEED || Date.now() % 1_000_000_000);
const worlds = Number(process.env.WORLDS) || Number.POSITIVE_INFINITY;
const BATCH = 500;

process.stdout.write(`SEED=${seed}\n`);
let packets = 0;
for (let done = 0; done < worlds; done += BATCH) {
  const result = fc.check(
    fc.property(randomWorld, (whole) => {
      const world = followed(whole);
      const asked = questions(world);
      packets += asked.length;
      return disagreements(world, asked).length === 0;
    }),
    { numRuns: Math.min(BATCH, worlds - done), seed: seed + done },
  );
  if (result.failed) {
    const [whole] = result.counterexample ?? [];
    const world = whole && followed(whole);
    const rows = world ? disagreements(world, questions(world)) : [`${result.errorInstance}`];
    const shown = rows.slice(0, 10).join("\n");
    process.stdout.write(`DIFFERENT (SEED=${seed + done}), in ${rows.length} packets:\n${shown}\n`);
    if (world) process.stdout.write(`${worldInWords(world)}\n`);
    process.exit(1);
  }
  process.stdout.write(`${done + result.numRuns} worlds, ${packets} packets: no difference\n`);
}
