import type { Command } from "commander";
import type { MapStores } from "../../kernel/map-store.ts";
import type { OutcomeTotals } from "../../kernel/outcomes.ts";
import type { ExplainOptions } from "./explain.ts";
import type { KeptFilter } from "./flow-log.ts";
import type { FlowOptions, LiveOptions, StepOptions } from "./live.ts";
import type { View } from "./table.ts";
import type { NumberNames } from "./words.ts";

interface Sources {
  readonly maps: MapStores;
  readonly outcomes: () => OutcomeTotals;
  /** The agent's names of identities and policies. */
  readonly names: () => NumberNames;
}

/** Adds `inspect services`, `inspect connections --client A` …: readable views of this node's pinned maps. */
export function registerInspectCommands(program: Command): void {
  const inspect = program.command("inspect").description("show the state of this node's packet path in readable form");
  const add = (name: string, description: string) =>
    inspect
      .command(name)
      .description(description)
      .option("--json", "one JSON object per row")
      .option("--pin-root <folder>", "folder of the agent's pinned maps", "/sys/fs/bpf/ebpf-dataplane")
      .option("--run-directory <folder>", "folder of the agent's files", "/run/ebpf-dataplane");

  add("services", "frontends and their backends").action(show((views, { maps }) => views.services(maps)));
  add("backends", "backends, including those that only complete existing connections").action(
    show((views, { maps }) => views.backends(maps)),
  );
  add("endpoints", "workload endpoints of this node").action(
    show((views, { maps, names }) => views.endpoints(maps, names())),
  );
  add("policies", "compiled policies of this node's endpoints").action(
    show((views, { maps, names }) => views.policies(maps, names())),
  );
  add("announcements", "load balancers' addresses that this node answers for").action(
    show((views, { maps }) => views.announcements(maps, process.hrtime.bigint())),
  );
  add("outcomes", "packets by outcome").action(show((views, { outcomes }) => views.outcomes(outcomes())));
  add("connections", "tracked connections, one line per direction")
    .option("--client <address>", "only connections opened by this address")
    .option("--frontend <address[:port]>", "only connections to this address")
    .action(show((views, { maps }, options) => views.connections(maps, options, process.hrtime.bigint())));
  registerLive(inspect);
}

/** Adds `inspect flows` and `inspect trace`: live events from the agent's socket. */
function registerLive(inspect: Command): void {
  const live = (name: string, description: string) =>
    inspect
      .command(name)
      .description(description)
      .option("--json", "one JSON object per line")
      .option("--while-input", "end when standard input ends")
      .option("--run-directory <folder>", "folder of the agent's socket", "/run/ebpf-dataplane");
  const end = "pod/NAMESPACE/NAME, service/NAMESPACE/NAME, namespace/NAME, node/NAME, an address or a CIDR";
  live("flows", "show opened connections and refused packets of this node, as they happen")
    .option("--from <end>", `only from this end: ${end}; repeated: or from that`, repeated)
    .option("--to <end>", "only to this end; repeated: or to that", repeated)
    .option("--service <service>", "only to this Service: service/NAMESPACE/NAME", repeated)
    .option("--namespace <name>", "only from or to this namespace", repeated)
    .option("--policy <name>", "only what this policy refused or logged: NAME or NAMESPACE/NAME", repeated)
    .option("--refused", "only what was refused")
    .option("--no-dns", "without opened connections to port 53")
    .option("--since <seconds>", "also those of the last seconds, if a history is kept (docs/flows.md)", Number)
    .action(async (options: FlowOptions) => {
      const { printFlows } = await import("./live.ts");
      await reportAndExit(printFlows(options));
    });
  live("flow-log", "print the flow log of this node, also what is not written yet")
    .option("--namespace <name>", "only flows from or to pods of this namespace")
    .option("--verdict <verdict>", "only flows that were allowed, denied or refused")
    .option("--port <number>", "only flows to this port", Number)
    .option("--staged", "only flows for which staged policies would decide otherwise")
    .action(async (options: LiveOptions & KeptFilter) => {
      const { printFlowLog } = await import("./flow-log.ts");
      await reportAndExit(printFlowLog(options));
    });
  live(
    "trace <client> <service>",
    "send one connection from `node` or a pod of this node (NAMESPACE/NAME) to ADDRESS:PORT, and show each step on this node",
  )
    .option("--udp", "send a datagram instead of a connection")
    .action(async (client: string, service: string, options: LiveOptions) => {
      const { printTrace } = await import("./live.ts");
      await reportAndExit(printTrace(client, service, options));
    });
  live("ipam", "show how many addresses of each IP pool are in use in the cluster, by node and namespace").action(
    async (options: LiveOptions) => {
      const { printPoolUse } = await import("./ipam.ts");
      await reportAndExit(printPoolUse(options));
    },
  );
  for (const [kind, description] of ABOUT_AGENT)
    live(kind, description).action(async ({ runDirectory }: LiveOptions) => {
      const { printRecords } = await import("./records.ts");
      await reportAndExit(printRecords(kind, runDirectory));
    });
  live("bgp", "show this node's BGP sessions").action(async (options: LiveOptions) => {
    const { printSessions } = await import("./bgp.ts");
    await reportAndExit(printSessions(options));
  });
  live(
    "status",
    "show how this node is: whether its agent is ready and up to date, modes, pools, refused packets",
  ).action(async (options: LiveOptions) => {
    const { printStatus } = await import("./status.ts");
    await reportAndExit(printStatus(options));
  });
  live(
    "explain <from> <to>",
    "say what policies decide about a flow from an address to ADDRESS:PORT (of ICMP ADDRESS:TYPE/CODE), as far as this node judges it",
  )
    .option("--protocol <protocol>", "tcp, udp, sctp or icmp", "tcp")
    .option("--source-port <port>", "the sender's port")
    .action(async (from: string, to: string, options: ExplainOptions) => {
      const { printExplanation } = await import("./explain.ts");
      await reportAndExit(printExplanation(from, to, options));
    });
  live("steps", "show the steps of a client's packets; for programs that trace over several nodes")
    .requiredOption("--client <address>", "the client's address")
    .requiredOption("--client-port <port>", "the client's port")
    .requiredOption("--frontend <address>", "the address that it connects to")
    .requiredOption("--frontend-port <port>", "the port that it connects to")
    .option("--protocol <protocol>", "tcp or udp", "tcp")
    .option("--seconds <number>", "duration of the trace", "10")
    .action(async (options: StepOptions) => {
      const { printSteps } = await import("./live.ts");
      await reportAndExit(printSteps(options));
    });
}

const ABOUT_AGENT = [
  ["metrics", "print the agent's metrics as JSON, whatever its metrics port answers; for programs"],
  ["settings", "print the settings and options that the agent runs with, as JSON; for programs"],
] as const;

const repeated = (word: string, words: readonly string[] = []): readonly string[] => [...words, word];

// One line instead of a stack trace; an open standard input must not keep the process running.
async function reportAndExit(work: Promise<void>): Promise<void> {
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

// Code that reads the kernel is loaded when a command runs, so that `--help` works anywhere.
function show(view: (views: Views, sources: Sources, options: Options) => View): (options: Options) => Promise<void> {
  const print = async (options: Options) => {
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
  return (options) => reportAndExit(print(options));
}
