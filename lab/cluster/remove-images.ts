// Removes the user's images from a lab.

import { didYouMean } from "../../components/refusal/suggestion.ts";
import { printable } from "../../model/printable.ts";
import { LabFailure } from "../failure.ts";
import { fullName, shortName } from "../images/reference.ts";
import { firstProcess } from "../machines/machine.ts";
import type { Progress } from "../progress.ts";
import type { Image } from "./images.ts";
import { byName } from "./listed-images.ts";
import { removeFrom } from "./node-images.ts";
import { keepRecord, nodesToLoad, ownImages } from "./own-images.ts";
import { readState } from "./state.ts";

/** Full names of the images to remove. @throws LabFailure for a name that is not one of the user's images */
export function namedImages(lab: string, images: readonly Image[], texts: readonly string[]): string[] {
  const known = byName(images).map(([name]) => name);
  return texts.map((text) => {
    const name = fullName(text);
    if (name !== undefined && known.includes(name)) return name;
    const short = known.map(shortName);
    throw new LabFailure(
      `lab ${lab} has no image '${printable(text)}' of yours${didYouMean(text, short)} (yours: ${short.join(", ") || "none"})`,
      { next: "the cluster's own images stay; 'make lab-images' lists yours", exitCode: 2 },
    );
  });
}

/** The record without the removed names. An archive that has other names too is kept; nodes that join later do not get the removed ones. */
export function withoutNames(images: readonly Image[], names: readonly string[]): Image[] {
  return images.flatMap((image) => {
    const kept = image.names.filter((name) => !names.includes(name));
    if (kept.length === image.names.length) return [image];
    const removed = image.names.filter((name) => names.includes(name));
    return kept.length === 0 ? [] : [{ ...image, names: kept, removed: [...(image.removed ?? []), ...removed] }];
  });
}

/** Removes images from every node of a lab, and from the record for nodes that join later. @returns a sentence about what was done */
export async function removeImages(lab: string, texts: readonly string[], progress: Progress): Promise<string> {
  const state = readState(lab);
  const nodes = nodesToLoad(lab, state, (machine) => firstProcess(lab, machine) !== undefined);
  const images = ownImages(lab);
  const names = namedImages(lab, images, texts);
  const title = names.map(shortName).join(", ");
  // Write the record last, so that after an interruption the images are still listed.
  for (const node of nodes) await progress.phase(`${node}: remove ${title}`, () => removeFrom(lab, node, names));
  keepRecord(lab, withoutNames(images, names));
  return `removed ${title} from ${nodes.join(", ")}; running pods keep it until they start again\n`;
}
