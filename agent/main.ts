import { Command } from "commander";
import type { KindName } from "../model/objects/kinds.ts";
import { registerProbeServer } from "../probe/commands.ts";
import { registerFeatures } from "./features/command.ts";
import { registerInspectCommands } from "./observe/inspect/commands.ts";
import { type AgentOptions, addAgentOptions } from "./options.ts";
import type { Ending } from "./process/ending.ts";
import { limitHeapGrowth } from "./process/heap.ts";
import { writePrivately } from "./run-folder/private-files.ts";

const program = new Command("ebpf-dataplane").description(
  "An eBPF dataplane for Kubernetes that keeps the client's source address.",
);

addAgentOptions(
  program.command("agent").description("run this node's agent; on SIGTERM it ends and the dataplane keeps running"),
)
  .requiredOption("--node <name>", "name of this machine's Node object", process.env.NODE_NAME)
  .option("--objects <folder>", "read Kubernetes objects from the files of a folder instead of the API server")
  .option("--kubeconfig <file>", "use this kubeconfig instead of the pod's service account")
  .option("--node-address <address>", "this node's address; by default the Node object's InternalIP")
  .action((options: AgentOptions) => reportAndExit(() => agent(options)));

addAgentOptions(
  program.command("cleanup").description("remove the dataplane from this node; its pods lose their network"),
).action((options: AgentOptions) => reportAndExit(() => cleanup(options)));

registerInspectCommands(program);
registerFeatures(program);
// Servers of checks run from this image too, with its entry point.
registerProbeServer(program);
void program.parseAsync();

async function agent(options: AgentOptions): Promise<void> {
  const [{ runAgent }, { endAgent }, { readSettings }, { createLog }, { apiCluster, fileCluster }, { LastGoodFile }] =
    await Promise.all([
      import("./agent.ts"),
      import("./process/ending.ts"),
      import("./settings.ts"),
      import("./observe/log.ts"),
      import("./watch/cluster.ts"),
      import("./run-folder/last-good-file.ts"),
    ]);
  limitHeapGrowth();
  writePrivately();
  const settings = readSettings(options.settings);
  const log = createLog(settings.logLevel);
  const endings: Ending[] = [];
  for (const signal of ["SIGTERM", "SIGINT"]) {
    process.once(signal, () =>
      endAgent(endings, () => log.info("ended; the dataplane keeps running without its agent")),
    );
  }
  const { objects, kubeconfig } = options;
  const open = (changed: (kind: KindName) => void) =>
    objects ? fileCluster(objects, changed, log) : apiCluster(kubeconfig, changed, log, new LastGoodFile(options, log));
  await runAgent(options, settings, open, log, endings);
}

async function cleanup(options: AgentOptions): Promise<void> {
  const [{ uninstall }, { createLog }] = await Promise.all([import("./uninstall.ts"), import("./observe/log.ts")]);
  await uninstall(options, createLog("info"));
  process.exit(0);
}

// Users get the message; the stack trace only on request.
async function reportAndExit(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const trace = process.env.EBPF_DATAPLANE_TRACE && error instanceof Error ? `\n${error.stack}` : "";
    process.stderr.write(`${error instanceof Error ? error.message : error}${trace}\n`);
    process.exit(1);
  }
}
