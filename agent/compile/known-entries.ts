import { changesBetween } from "../../model/changes.ts";
import { each, type Steps } from "../../model/steps.ts";
import type { Location, Prefix } from "../kernel/layout.gen.ts";
import type { Contribution, Entry } from "./desired.ts";
import { keyText } from "./key.ts";

/** Of one address or block. */
export type LocationEntry = Contribution<Prefix, Location> & { readonly entries: readonly [Entry<Prefix, Location>] };

/** The entries of one version of the map `locations`, so that in another version an equal one is the very same object: the versions of a
 * transition differ in few of many thousands, and only those are compared and written. */
export class KnownEntries {
  readonly #byKey = new Map<string, LocationEntry>();
  #version: readonly LocationEntry[] = [];

  *updating(version: readonly LocationEntry[]): Steps<void> {
    const { gone, come } = changesBetween(this.#version, version);
    yield* each(gone, (one) => {
      if (this.#byKey.get(keyOf(one)) === one) this.#byKey.delete(keyOf(one));
    });
    yield* each(come, (one) => this.#byKey.set(keyOf(one), one));
    this.#version = version;
  }

  /** The known one that says the same, or this one. */
  same(one: LocationEntry): LocationEntry {
    const known = this.#byKey.get(keyOf(one));
    return known && text(known) === text(one) ? known : one;
  }
}

function keyOf({ entries: [entry] }: LocationEntry): string {
  return keyText.locations(entry.key);
}

function text({ owner, entries: [entry] }: LocationEntry): string {
  const { identity, flags, node } = entry.value;
  return `${owner} ${identity} ${flags} ${node}`;
}
