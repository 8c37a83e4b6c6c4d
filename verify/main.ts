import { Command, Option } from "commander";
import { keepOutput } from "../components/program/output.ts";
import { defaults, quick } from "../measure/compare/options.ts";
import type { ReportOptions } from "../report/command.ts";
import type { ComparedMode } from "../report/results/compare.ts";
import type { SuggestOptions } from "../suggest/command.ts";
import type { BundleOptions } from "./bundle/bundle-command.ts";
import type { CheckOptions } from "./check-command.ts";
import type { InspectOptions } from "./inspect/inspect-command.ts";
import { VIEWS } from "./inspect/views.ts";
import type { StatusOptions } from "./status/status-command.ts";
import { isCheckout } from "./this-package.ts";
import type { VerifyOptions } from "./verify-command.ts";
import type { ExplainOptions } from "./watch/explain-command.ts";
import type { FlowsOptions } from "./watch/flows-command.ts";
import type { TraceOptions } from "./watch/trace-command.ts";
import type { WatchOptions } from "./watch/watch-command.ts";
import { duration, portNumber, wholeSeconds } from "./whole-seconds.ts";

keepOutput();

// A command loads its own parts when it runs: each needs other parts, and `--help` needs none.
const KUBECONFIGS = "KUBECONFIG_CONTENT, KUBECONFIG, the lab's own";

const program = new Command().description("verify that a cluster meets expectations");

command("check", "run check files (YAML or JSON; - is standard input) and print what was expected and observed")
  .argument("[file...]", "check files")
  .option("--suite <name>", "a ready-made suite, before the files: cluster (what every Kubernetes cluster must do)")
  .option("--print", "print the suite as a check file for this cluster, and change nothing")
  .option("--brief", "print a line for each check, and of its rows those that do not hold", false)
  .option("--junit <path>", "where the result is written as JUnit XML too")
  .option("--out <path>", "where the result is written as JSON", "out/check.json")
  .option("--machines <file>", "machines outside the cluster that are reached by SSH (docs/checks.md)")
  .action(async (files: string[], options: CheckOptions) => {
    const { checkCommand } = await import("./check-command.ts");
    process.exitCode = await checkCommand(files, options);
  });

command("verify", "run a deployment's verification (JSON; - is standard input): checks, measurement, limits")
  .argument("<document>", "the document, docs/schemas/verification-input.schema.json")
  .option("--out <folder>", "folder for the results", "out")
  .action(async (document: string, options: VerifyOptions) => {
    const { measureOnLab } = await import("../measure/compare/deployment.ts");
    const { writeReport } = await import("../report/write.ts");
    const { verifyCommand } = await import("./verify-command.ts");
    process.exitCode = await verifyCommand(document, options, {
      measureIn: measureOnLab(options),
      writePage: (found, path) => writeReport({ ...found, isCheckout: isCheckout(), writtenAt: new Date() }, path),
    });
  });

program
  .command("compare")
  .description(
    "measure the same service handled by kube-proxy and by this dataplane, switched live on the local cluster",
  )
  .option("--lab <name>", "local lab", process.env.EBPF_DATAPLANE_LAB || defaults.lab)
  .option("--service <namespace/name>", "service with a node port and one pod", defaults.service)
  .option("--entry <node>", "node that clients connect to; otherwise a control plane on which the pod does not run")
  .option("--client <machine>", "client whose connections are timed; otherwise the first")
  .option("--modes <modes>", "modes, separated by commas", defaults.modes.join(","))
  .option("--rounds <number>", "rounds of each mode", Number)
  .option("--connections <number>", "connections timed per mode, over all rounds", Number)
  .option("--concurrency <number>", "connections open at a time", Number, defaults.concurrency)
  .option("--counting-rounds <number>", "rounds in which packets and BPF run time are counted", Number)
  .option("--seed <number>", "decides the order of modes and the bootstrap", Number, defaults.seed)
  .option("--spread", "leave the server where the scheduler puts it, not on the client's CPU", defaults.spread)
  .option("--quick", "few rounds with few connections: shows everything, but the times mean little", false)
  .option("--out <path>", "where the result is written as JSON", "out/compare.json")
  .option("--json", "print the result on standard output, everything else on standard error", false)
  .option("--quiet", "no progress", false)
  .action(async ({ out, json, quiet, quick: short, modes, ...given }) => {
    const options = { ...defaults, ...(short && quick), ...given, modes: modes.split(",") as ComparedMode[] };
    const { compareCommand } = await import("../measure/compare/command.ts");
    process.exitCode = await compareCommand(options, { out, json, quiet });
  });

program
  .command("report")
  .description("write the results as one HTML page, and the JSON that it is made from; needs no cluster")
  .option("--from <folder>", "where the results are", "out")
  .option("--out <path>", "the page; the JSON is written next to it (default: report.html in that folder)")
  .action(async (options: ReportOptions) => {
    const { reportCommand } = await import("../report/command.ts");
    process.exitCode = reportCommand(options, isCheckout());
  });

const live = (name: string, description: string) =>
  program
    .command(name)
    .description(description)
    .option("--lab <name>", "local lab whose machines may be named", process.env.EBPF_DATAPLANE_LAB || "local")
    .option("--kubeconfig <path>", `the cluster; otherwise ${KUBECONFIGS}, or ~/.kube/config`)
    .option("--context <name>", "a context of the kubeconfig, instead of its current one");

const repeated = (word: string, words: readonly string[] = []): readonly string[] => [...words, word];
const ends = "NAMESPACE/NAME of a pod, a workload or a Service, a namespace, a node, a client, an address or a CIDR";

live("watch", "show connections, refused packets and rates of all nodes, live")
  .option("--from <end>", `only from this end: ${ends}; repeated: or from that`, repeated)
  .option("--to <end>", "only to this end; repeated: or to that", repeated)
  .option("--service <namespace/name>", "only to this Service, or to a pod behind it", repeated)
  .option("--namespace <name>", "only from or to this namespace", repeated)
  .option("--policy <name>", "only what this policy refused or logged: NAME or NAMESPACE/NAME", repeated)
  .option("--refused", "only what was refused")
  .option("--dns", "with connections to port 53 (in the local lab they are left out)")
  .option("--no-dns", "without connections to port 53; refused ones are shown")
  .option(
    "--since <time>",
    "also those of the last time, such as 5m, if agents keep a history (docs/flows.md)",
    duration,
  )
  .addOption(
    new Option("--page [port]", "a page for a browser on this computer: service map, flows, what was refused")
      .argParser(portNumber)
      .conflicts("json"),
  )
  .option("--json", "one JSON object per flow", false)
  .option("--seconds <number>", "end after this many seconds", wholeSeconds)
  .action(async (options: WatchOptions) => {
    const { watchCommand } = await import("./watch/watch-command.ts");
    process.exit(await watchCommand(options));
  });

live("status", "report the state of the dataplane on each node: ready, up to date, modes, pools, refused packets")
  .option("--wait [seconds]", "until every node is ready (without a number: 300 s)", wholeSeconds)
  .option("--json", "as JSON (docs/schemas/status.schema.json)", false)
  .action(async (options: StatusOptions) => {
    const { statusCommand } = await import("./status/status-command.ts");
    process.exit(await statusCommand(options));
  });

live("inspect", "show what is in the maps of all nodes, with the names of services, pods and nodes")
  .argument("<view>", VIEWS.join(", "))
  .showHelpAfterError(`(views: ${VIEWS.join(", ")})`)
  .option("--all-nodes", "ask every node (the default)")
  .addOption(new Option("--node <name>", "ask only this node").conflicts("allNodes"))
  .option("--client <address>", "of connections: only those that this address opened")
  .option("--frontend <address[:port]>", "of connections: only those to this address")
  .addOption(new Option("-o, --output <format>", "how it is printed").choices(["table", "json"]))
  .addOption(new Option("--json", "the same as --output json").default(false).conflicts("output"))
  .action(async (view: string, options: InspectOptions) => {
    const { inspectCommand } = await import("./inspect/inspect-command.ts");
    process.exit(await inspectCommand(view, options));
  });

live("bundle", "write an archive for support: versions, status, maps, logs, objects; no Secrets and no credentials")
  .option("--out <path>", "the archive (default: ebpf-dataplane-TIME.tar.gz)")
  .action(async (options: BundleOptions) => {
    const { bundleCommand } = await import("./bundle/bundle-command.ts");
    process.exit(await bundleCommand(options));
  });

live("flows", "collect the flow logs of all nodes into one file (docs/flows.md)")
  .option("--out <path>", "the file, one JSON object per line", "out/flows.jsonl")
  .option("--show", "print the lines too", false)
  .option("--namespace <name>", "only flows from or to pods of this namespace")
  .option("--verdict <verdict>", "only flows that were allowed, denied or refused")
  .option("--port <number>", "only flows to this port", portNumber)
  .option("--staged", "only flows for which staged policies would decide otherwise", false)
  .action(async (options: FlowsOptions) => {
    const { flowsCommand } = await import("./watch/flows-command.ts");
    process.exit(await flowsCommand(options));
  });

program
  .command("suggest")
  .description(
    "propose NetworkPolicies that allow the flows of a flow log (the command `flows`) and nothing else; needs no cluster",
  )
  .argument("<flows>", "the flow log; - is standard input")
  .option("--namespace <names>", "only for pods of these namespaces, separated by commas")
  .option(
    "--policies <file>",
    "objects that stay in force beside them (YAML or JSON: host endpoints, policies, tiers): what these refuse is said",
  )
  .option("--typescript", "typed inputs of the Dataplane component, not YAML", false)
  .option("--out <path>", "the file that is written; otherwise standard output")
  .action(async (flows: string, options: SuggestOptions) => {
    const { suggestCommand } = await import("../suggest/command.ts");
    process.exitCode = suggestCommand(flows, options, isCheckout());
  });

live("trace", "send one connection and show what every node did with its packets")
  .argument("<from>", "a machine, node/NAME or pod/NAMESPACE/NAME")
  .argument("<to>", "ADDRESS:PORT, or tcp:// or udp:// with a host as in check files")
  .option("--json", "the steps as JSON", false)
  .action(async (from: string, to: string, options: TraceOptions) => {
    const { traceCommand } = await import("./watch/trace-command.ts");
    process.exit(await traceCommand(from, to, options));
  });

live("explain", "say which tiers, policies and rules decide about a flow, on which node; sends nothing")
  .argument("<from>", "an address, NAMESPACE/NAME of a pod or workload, node/NAME or a machine")
  .argument(
    "<to>",
    "the same or a service, with a port: shop/web:80, udp://service/kube-system/kube-dns:53, icmp://node/master",
  )
  .option("--source-port <port>", "the sender's port, where policies ask for it")
  .option("--json", "the answers of all nodes as JSON", false)
  .action(async (from: string, to: string, options: ExplainOptions) => {
    const { explainCommand } = await import("./watch/explain-command.ts");
    process.exit(await explainCommand(from, to, options));
  });

// A wrong command line is wrong input, like a wrong file.
program.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
for (const each of program.commands)
  if (each.name() !== "inspect") each.showHelpAfterError(`(${each.name()} --help says what it takes)`);
for (const each of program.commands) each.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
program.parseAsync().catch(async (error) => {
  const { messageOf } = await import("./session.ts");
  console.error(messageOf(error));
  process.exitCode = 2;
});

function command(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option("--lab <name>", "local lab whose machines may be named", process.env.EBPF_DATAPLANE_LAB || "local")
    .option("--kubeconfig <path>", `the cluster; otherwise ${KUBECONFIGS}`)
    .option("--context <name>", "a context of the kubeconfig (without one given: of ~/.kube/config)")
    .option("--probe-image <image>", "image of the temporary probers on nodes (default: the agents')")
    .option("--json", "print the result on standard output, everything else on standard error", false)
    .option("--quiet", "print only what does not hold", false);
}
