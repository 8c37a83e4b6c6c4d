import { changesBetween } from "../changes.ts";
import { type EndpointSlice, serviceNameLabel } from "../objects/discovery.ts";
import { isLeftAlone } from "./service.ts";

/** EndpointSlices by the Service that they belong to. A Service's list is the same object until one of its slices changes. */
export class SliceGroups {
  #slices: readonly EndpointSlice[] = [];
  readonly #groups = new Map<string, readonly EndpointSlice[]>();

  /** Replaces the slices by these. Returns the Services that are concerned: "default/web". */
  update(slices: readonly EndpointSlice[]): readonly string[] {
    const { gone, come } = changesBetween(this.#slices, slices);
    this.#slices = slices;
    const [left, added] = [Map.groupBy(gone, serviceOf), Map.groupBy(come, serviceOf)];
    const concerned = [...new Set([...left.keys(), ...added.keys()])].flatMap((id) => id ?? []);
    for (const id of concerned) this.#replace(id, new Set(left.get(id)), added.get(id) ?? []);
    return concerned;
  }

  /** Sorted by name, so that nothing depends on the order of arrival. @param id "default/web" */
  of(id: string): readonly EndpointSlice[] {
    return this.#groups.get(id) ?? NONE;
  }

  #replace(id: string, left: ReadonlySet<EndpointSlice>, added: readonly EndpointSlice[]): void {
    const group = [...this.of(id).filter((slice) => !left.has(slice)), ...added];
    group.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    if (group.length > 0) this.#groups.set(id, group);
    else this.#groups.delete(id);
  }
}

const NONE: readonly EndpointSlice[] = [];

/** "default/web"; undefined: the slice is left alone. */
export function serviceOf(slice: EndpointSlice): string | undefined {
  const name = slice.metadata.labels?.[serviceNameLabel];
  return name && !isLeftAlone(slice) ? `${slice.metadata.namespace}/${name}` : undefined;
}
