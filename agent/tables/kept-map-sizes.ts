import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { defaultConfiguration } from "../../model/mode/configuration.ts";
import { type MapSizes, mapSizeFields, mapSizes } from "../../model/mode/map-sizes.ts";
import type { FelixConfiguration } from "../../model/objects/calico.ts";
import type { Logger } from "../observe/log.ts";
import { MAP_SIZES_FILE } from "../options.ts";
import { type Ending, endAgent } from "../process/ending.ts";
import { replacePrivately } from "../run-folder/private-files.ts";

// Maps are created when the agent starts, before it knows the cluster's objects. So the sizes that the objects ask for are kept in a file.
// An agent that finds other sizes ends and starts again.

const kept = z.strictObject(mapSizeFields);
export type MapSizeSettings = z.infer<typeof kept>;

/** The sizes that the last agent of this node found. If the file is missing or damaged, the sizes follow the memory. */
export function keptMapSizes(folder: string): MapSizeSettings {
  try {
    const read = kept.safeParse(JSON.parse(readFileSync(`${folder}/${MAP_SIZES_FILE}`, "utf8")));
    return read.success ? read.data : {};
  } catch {
    return {};
  }
}

/** The sizes of this computer's maps. */
export const sizesFor = (settings: MapSizeSettings): MapSizes => mapSizes(settings, totalmem());

/** Keeps the sizes that the objects ask for, if they differ from those with which this agent started. @returns whether it has to start
 * again @throws Error when the folder cannot be written: the next agent would find the same difference */
export function keepMapSizes(
  folder: string,
  started: MapSizes,
  configurations: readonly FelixConfiguration[],
): boolean {
  const { spec = {} } = defaultConfiguration(configurations) ?? {};
  const settings = Object.fromEntries(
    Object.keys(mapSizeFields).flatMap((name) => {
      const value = spec[name as keyof typeof mapSizeFields];
      return value === undefined || value === null ? [] : [[name, value]];
    }),
  );
  if (isDeepStrictEqual(sizesFor(settings), started)) return false;
  replacePrivately(`${folder}/${MAP_SIZES_FILE}`, JSON.stringify(settings));
  return true;
}

/** Ends this process if the objects ask for other sizes than its maps have. Its container starts it again. */
export async function startAgainForMapSizes(
  { runDirectory, log, endings }: { runDirectory: string; log: Logger; endings: readonly Ending[] },
  started: MapSizes,
  configurations: readonly FelixConfiguration[],
): Promise<void> {
  try {
    if (!keepMapSizes(runDirectory, started, configurations)) return;
  } catch (error) {
    return log.error(`the sizes of maps stay as they are: ${error instanceof Error ? error.message : error}`);
  }
  await endAgent(endings, () => log.info("the sizes of maps change: the agent starts again; connections continue"));
}
