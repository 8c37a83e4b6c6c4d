import { compiledVerdicts } from "./compiled.ts";
import { podEntity } from "./entities.ts";
import { podVerdict } from "./evaluate.ts";
import type { World } from "./objects.ts";
import { inWords, type Question } from "./packets.ts";

/** The packets about which evaluator and compiled maps differ, in words. */
export function disagreements(world: World, asked: readonly Question[]): string[] {
  const compiled = compiledVerdicts(world);
  return asked.flatMap((question) => {
    const model = podVerdict(world, podEntity(world, question.pod), question.direction, question.packet);
    const maps = compiled(question);
    return model === maps ? [] : [`${inWords(question)}: evaluator ${model}, maps ${maps}`];
  });
}

/** The objects of a world that matter, one a line. */
export function worldInWords(world: World): string {
  const lines = Object.entries(world).flatMap(([kind, list]) =>
    (list as unknown[]).map((item) => `  ${kind}: ${JSON.stringify(item)}`),
  );
  return lines.join("\n");
}
