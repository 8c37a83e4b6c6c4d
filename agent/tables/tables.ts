import type { MapSizes } from "../../model/mode/map-sizes.ts";
import type { WrittenMap } from "../compile/desired.ts";
import { maps } from "../kernel/layout.gen.ts";
import { type LiveConnections, liveConnections } from "../kernel/live-connections.ts";
import type { MapStores } from "../kernel/map-store.ts";
import type { Pins } from "../kernel/pins.ts";
import type { Logger } from "../observe/log.ts";
import type { Dataplane } from "../pass/dataplane.ts";
import { inSlices } from "../process/slices.ts";
import { type Table, TableFill } from "./table-fill.ts";

/** Maps that the agent writes: it knows how many entries they have. */
const WRITTEN: WrittenMap[] = ["frontends", "slots", "backends", "members", "locations", "policies", "endpoints"];

const COUNT_MS = 60_000;

export interface TablesParts {
  readonly node: string;
  readonly pins: Pins;
  readonly maps: MapStores;
  readonly sizes: MapSizes;
}

/** The tables of a node that can be full, with their entries. */
export class Tables {
  readonly #parts: TablesParts;
  #live: LiveConnections = { proven: 0, unproven: 0, halfOpen: 0 };
  #counting = false;
  #entries: Dataplane["entries"] = () => 0;

  constructor(parts: TablesParts) {
    this.#parts = parts;
  }

  /** Knows and reports from now on what the dataplane writes, and counts what the packet path writes. */
  follow(dataplane: Pick<Dataplane, "entries" | "otherProblems">, log: Pick<Logger, "error">): void {
    this.#entries = (map) => dataplane.entries(map);
    const fill = new TableFill(this.#parts.node);
    dataplane.otherProblems.push(() => fill.problems(this.all()));
    const count = () => this.count().catch((error) => log.error(`connections are not counted: ${error}`));
    setInterval(count, COUNT_MS);
    void count();
  }

  readonly all = (): Table[] => {
    const { maps: stores, sizes } = this.#parts;
    const { proven, unproven, halfOpen } = this.#live;
    return [
      ...WRITTEN.map((name) => ({
        ...{ name, entries: this.#entries(name), capacity: stores[name].definition.maxEntries },
      })),
      { name: "proven", entries: proven, capacity: sizes.proven },
      { name: "unproven", entries: unproven, capacity: sizes.unproven },
      { name: "half_open", entries: halfOpen, capacity: maps.halfOpen.maxEntries },
    ];
  };

  /** Counts the connections, in slices, so that other work continues meanwhile. */
  async count(): Promise<void> {
    if (this.#counting) return;
    this.#counting = true;
    try {
      this.#live = await inSlices(liveConnections(this.#parts.pins, () => process.hrtime.bigint()));
    } finally {
      this.#counting = false;
    }
  }
}
