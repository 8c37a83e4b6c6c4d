// `make fuzz WORLDS=100000`: worlds by chance without end (or as many as WORLDS says), each with all its packets. SEED=… repeats a run: the seed is
// printed at the beginning, and with a difference the smallest world that shows it.
import fc from "fast-check";
import { disagreements, hostDisagreements, worldInWords } from "./comparison.ts";
import { followed } from "./compiled.ts";
import type { World } from "./objects.ts";
import { hostQuestions, questions } from "./packets.ts";
import { randomWorld } from "./random-world.ts";

const seed = Number(process.env.SEED || Date.now() % 1_000_000_000);
const worlds = Number(process.env.WORLDS) || Number.POSITIVE_INFINITY;
const BATCH = 500;

/** In words, of pods' packets and of those at the node's interfaces. */
function differences(world: World): { asked: number; rows: string[] } {
  const [ofPods, ofHosts] = [questions(world), hostQuestions(world)];
  const rows = [...disagreements(world, ofPods), ...hostDisagreements(world, ofHosts)];
  return { asked: ofPods.length + ofHosts.length, rows };
}

process.stdout.write(`SEED=${seed}\n`);
let packets = 0;
for (let done = 0; done < worlds; done += BATCH) {
  const result = fc.check(
    fc.property(randomWorld, (whole) => {
      const { asked, rows } = differences(followed(whole));
      packets += asked;
      return rows.length === 0;
    }),
    { numRuns: Math.min(BATCH, worlds - done), seed: seed + done },
  );
  if (result.failed) {
    const [whole] = result.counterexample ?? [];
    const world = whole && followed(whole);
    const rows = world ? differences(world).rows : [`${result.errorInstance}`];
    const shown = rows.slice(0, 10).join("\n");
    process.stdout.write(`DIFFERENT (SEED=${seed + done}), in ${rows.length} packets:\n${shown}\n`);
    if (world) process.stdout.write(`${worldInWords(world)}\n`);
    process.exit(1);
  }
  process.stdout.write(`${done + result.numRuns} worlds, ${packets} packets: no difference\n`);
}
