// Runs in the network and mount namespace it is started in, with a bpffs at /sys/fs/bpf: started by fuzz.ts. `inside OBJECTS SCRATCH`
import fc from "fast-check";
import { worldInWords } from "../calico/comparison.ts";
import { randomWorld } from "../calico/random-world.ts";
import { type Choice, differences } from "./differences.ts";
import { WorldNode } from "./world-node.ts";

const [objects = "", scratch = ""] = process.argv.slice(2);
const seed = Number(process.env.SEED || Date.now() % 1_000_000_000);
const pairs = Number(process.env.WORLDS) || Number.POSITIVE_INFINITY;
const BATCH = 500;
const EVERY: Choice = { every: 3, start: 0 };

process.stdout.write(`SEED=${seed}\n`);
const node = new WorldNode({ objects, bpffs: "/sys/fs/bpf", scratch });
const counts = { packets: 0, refused: 0 };
for (let done = 0; done < pairs; done += BATCH) {
  const result = fc.check(
    fc.property(
      randomWorld,
      randomWorld,
      (first, second) => differences(node, [first, second], EVERY, counts).length === 0,
    ),
    { numRuns: Math.min(BATCH, pairs - done), seed: seed + done },
  );
  if (result.failed) {
    const [first, second] = result.counterexample ?? [];
    const rows = first && second ? differences(node, [first, second], EVERY) : [];
    process.stdout.write(`DIFFERENT (SEED=${seed + done}), in ${rows.length} packets: ${result.errorInstance ?? ""}\n`);
    process.stdout.write(`${rows.slice(0, 10).join("\n")}\n`);
    if (first && second)
      process.stdout.write(`${worldInWords(first)}\nthen, with the pods of before:\n${worldInWords(second)}\n`);
    process.exit(1);
  }
  process.stdout.write(
    `${done + result.numRuns} pairs of worlds, ${counts.packets} packets, ${counts.refused} refused: no difference\n`,
  );
}
