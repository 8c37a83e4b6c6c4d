import { type BackendSelection, backendSelections, serviceAnnotations } from "../mode/mode.ts";
import type { Service } from "../objects/core.ts";
import type { EndpointSlice } from "../objects/discovery.ts";
import { portIn } from "./backends.ts";
import { TABLE_BACKENDS, tableSize } from "./maglev.ts";

const NAME = serviceAnnotations.backendSelection;
const PATH = `metadata.annotations[${NAME}]`;

/** Entries of all Maglev tables of one Service: two large ones, or 32 small ones. */
export const SERVICE_TABLE_ENTRIES = 131_072;

/** What the Service's annotation asks for. */
export function backendSelectionOf({ metadata }: Service): BackendSelection {
  return backendSelections.find((known) => known === metadata.annotations?.[NAME]) ?? "Random";
}

/** How many entries its Maglev tables have at most, by its endpoints, whatever their conditions; 0: it has none, or would have
 * too many. The result is the same on every node. */
export function tableEntries(service: Service, slices: readonly EndpointSlice[]): number {
  const { ports } = service.spec;
  if (backendSelectionOf(service) !== "Maglev" || ports.length * tableSize(1) > SERVICE_TABLE_ENTRIES) return 0;
  let entries = 0;
  for (const port of ports) {
    const having = slices.filter((slice) => portIn(slice, port) !== undefined);
    for (const family of Map.groupBy(having, ({ addressType }) => addressType).values()) {
      const endpoints = family.reduce((sum, { endpoints }) => sum + endpoints.length, 0);
      if (endpoints > TABLE_BACKENDS) return 0;
      entries += tableSize(endpoints);
    }
  }
  return entries > SERVICE_TABLE_ENTRIES ? 0 : entries;
}

/** What is wrong with the annotation; undefined: nothing. */
export function backendSelectionProblem(
  service: Service,
  slices: readonly EndpointSlice[],
): { path: string; message: string } | undefined {
  const text = service.metadata.annotations?.[NAME];
  if (text === undefined) return undefined;
  if (!backendSelections.some((known) => known === text)) {
    const message = `"${text.slice(0, 50)}" is not a backend selection; allowed are ${backendSelections.join(" and ")}. Backends are chosen at random until that is mended.`;
    return { path: PATH, message };
  }
  const isServed = slices.some(({ endpoints }) => endpoints.length > 0);
  if (backendSelectionOf(service) === "Random" || !isServed || tableEntries(service, slices) > 0) return undefined;
  const message = `A Maglev table has at most ${TABLE_BACKENDS} endpoints, and all tables of a Service ${SERVICE_TABLE_ENTRIES} entries, over all ports and address families. Backends are chosen at random. Next: split the Service.`;
  return { path: PATH, message };
}
