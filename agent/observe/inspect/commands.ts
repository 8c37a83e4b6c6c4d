import type { Command } from "commander";
import type { MapStores } from "../../kernel/map-store.ts";
import type { OutcomeTotals } from "../../kernel/outcomes.ts";
import type { LiveOptions, StepOptions } from "./live.ts";
import type { View } from "./table.ts";
import type { NumberNames } from "./words.ts";

interface Sources {
  readonly maps: MapStores;
  readonly outcomes: () => OutcomeTotals;
  /** What the agent calls identities and policies. */
  readonly names: () => NumberNames;
}

/** Adds `inspect services`, `inspect connections --client A` …: the pinned maps of this node in words. */
export function registerInspectCommands(program: Command): void {
  const inspect = program.command("inspect").description("what the packet path of this node knows, in words");
  const add = (name: string, description: string) =>
    inspect
      .command(name)
      .description(description)
      .option("--json", "one JSON object per row")
      .option("--pin-root <folder>", "where the agent pins its maps", "/sys/fs/bpf/ebpf-dataplane")
      .option("--run-directory <folder>", "where the agent keeps its files", "/run/ebpf-dataplane");

  add("services", "frontends and the backends they are spread over").action(
    show((views, { maps }) => views.services(maps)),
  );
  add("backends", "backends, also those that only finish their connections").action(
    show((views, { maps }) => views.backends(maps)),
  );
  add("endpoints", "workload endpoints of this node").action(show((views, { maps }) => views.endpoints(maps)));
  add("policies", "compiled policies of this node's endpoints").action(
    show((views, { maps, names }) => views.policies(maps, names())),
  );
  add("outcomes", "what became of packets").action(show((views, { outcomes }) => views.outcomes(outcomes())));
  add("connections", "tracked connections, one line per direction")
    .option("--client <address>", "only those that this address opened")
    .option("--frontend <address[:port]>", "only those to this address")
    .action(show((views, { maps }, options) => views.connections(maps, options, process.hrtime.bigint())));
  registerLive(inspect);
}

/** Adds `inspect flows` and `inspect trace`: what the agent tells at its socket while it happens. */
function registerLive(inspect: Command): void {
  const live = (name: string, description: string) =>
    inspect
      .command(name)
      .description(description)
      .option("--json", "one JSON object per line")
      .option("--while-input", "end when standard input ends")
      .option("--run-directory <folder>", "where the agent has its socket", "/run/ebpf-dataplane");
  live("flows", "connections that open and packets that are refused on this node, as it happens").action(
    async (options: LiveOptions) => {
      const { printFlows } = await import("./live.ts");
      await orSay(printFlows(options));
    },
  );
  live(
    "trace <client> <service>",
    "send one connection from `node` or a pod of this node (NAMESPACE/NAME) to ADDRESS:PORT, and tell each step on this node",
  )
    .option("--udp", "a datagram instead of a connection")
    .action(async (client: string, service: string, options: LiveOptions) => {
      const { printTrace } = await import("./live.ts");
      await orSay(printTrace(client, service, options));
    });
  live("steps", "tell the steps of a client's packets; for programs that trace over several nodes")
    .requiredOption("--client <address>", "the client's address")
    .requiredOption("--client-port <port>", "the client's port")
    .requiredOption("--frontend <address>", "the address it asks for")
    .requiredOption("--frontend-port <port>", "the port it asks for")
    .option("--protocol <protocol>", "tcp or udp", "tcp")
    .option("--seconds <number>", "after which the trace ends by itself", "10")
    .action(async (options: StepOptions) => {
      const { printSteps } = await import("./live.ts");
      await orSay(printSteps(options));
    });
}

// One line instead of a trace; a standard input that stays open must not keep the process.
async function orSay(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 2;
  }
  process.stdin.destroy();
}

type Views = typeof import("./views.ts");
type Options = { json?: boolean; pinRoot: string; runDirectory: string; client?: string; frontend?: string };

// What reads the kernel is loaded when a command runs: `--help` works anywhere.
function show(view: (views: Views, sources: Sources, options: Options) => View): (options: Options) => Promise<void> {
  return async (options) => {
    const [views, { asJson, asTable }, { openMaps }, { outcomeReader }, { pinsUnder }, { readNames }] =
      await Promise.all([
        import("./views.ts"),
        import("./table.ts"),
        import("../../kernel/load.ts"),
        import("../../kernel/outcomes.ts"),
        import("../../kernel/pins.ts"),
        import("./names-file.ts"),
      ]);
    const pins = pinsUnder(options.pinRoot);
    const result = view(
      views,
      { maps: openMaps(pins), outcomes: outcomeReader(pins), names: () => readNames(options.runDirectory) },
      options,
    );
    console.log(options.json ? asJson(result) : asTable(result));
  };
}
