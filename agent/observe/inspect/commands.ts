import type { Command } from "commander";
import type { MapStores } from "../../kernel/map_store.ts";
import type { OutcomeTotals } from "../../kernel/outcomes.ts";
import type { View } from "./table.ts";

interface Sources {
  readonly maps: MapStores;
  readonly outcomes: () => OutcomeTotals;
}

/** Adds `inspect services`, `inspect connections --client A` …: the pinned maps of this node in words. */
export function registerInspectCommands(program: Command): void {
  const inspect = program.command("inspect").description("what the packet path of this node knows, in words");
  const add = (name: string, description: string) =>
    inspect
      .command(name)
      .description(description)
      .option("--json", "one JSON object per row")
      .option("--pin-root <folder>", "where the agent pins its maps", "/sys/fs/bpf/ebpf-dataplane");

  add("services", "frontends and the backends they are spread over").action(
    show((views, { maps }) => views.services(maps)),
  );
  add("backends", "backends, also those that only finish their connections").action(
    show((views, { maps }) => views.backends(maps)),
  );
  add("endpoints", "workload endpoints of this node").action(show((views, { maps }) => views.endpoints(maps)));
  add("policies", "compiled policies of this node's endpoints").action(show((views, { maps }) => views.policies(maps)));
  add("outcomes", "what became of packets").action(show((views, { outcomes }) => views.outcomes(outcomes())));
  add("connections", "tracked connections, one line per direction")
    .option("--client <address>", "only those that this address opened")
    .option("--frontend <address[:port]>", "only those to this address")
    .action(show((views, { maps }, options) => views.connections(maps, options, process.hrtime.bigint())));
}

type Views = typeof import("./views.ts");
type Options = { json?: boolean; pinRoot: string; client?: string; frontend?: string };

// What reads the kernel is loaded when a command runs: `--help` works anywhere.
function show(view: (views: Views, sources: Sources, options: Options) => View): (options: Options) => Promise<void> {
  return async (options) => {
    const [views, { asJson, asTable }, { openMaps }, { outcomeReader }, { pinsUnder }] = await Promise.all([
      import("./views.ts"),
      import("./table.ts"),
      import("../../kernel/load.ts"),
      import("../../kernel/outcomes.ts"),
      import("../../kernel/pins.ts"),
    ]);
    const pins = pinsUnder(options.pinRoot);
    const result = view(views, { maps: openMaps(pins), outcomes: outcomeReader(pins) }, options);
    console.log(options.json ? asJson(result) : asTable(result));
  };
}
