import { text } from "node:stream/consumers";
import { Command } from "commander";
import { awaitControlPlane, controlPlaneSchema } from "./await-control-plane.ts";
import { awaitNodes, nodesSchema } from "./await-nodes.ts";
import { ClusterFailure } from "./failure.ts";

const command = new Command("cluster").description(
  "Waits for clusters whose machines make themselves; each command reads one JSON document on stdin.",
);
command
  .command("await-control-plane")
  .description("wait until the control plane has published how it is administrated")
  .action(async () => awaitControlPlane(controlPlaneSchema.parse(JSON.parse(await text(process.stdin))), say));
command
  .command("await-nodes")
  .description("wait until these nodes have joined the cluster of KUBECONFIG_CONTENT")
  .action(async () => awaitNodes(nodesSchema.parse(JSON.parse(await text(process.stdin))), kubeconfig(), say));

command.parseAsync().catch((error: unknown) => {
  if (!(error instanceof ClusterFailure)) throw error;
  say(`${error.message}\nnext: ${error.next}`);
  process.exit(1);
});

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A secret, so never an argument. */
function kubeconfig(): string {
  const content = process.env.KUBECONFIG_CONTENT;
  if (content) return content;
  throw new ClusterFailure("there is no kubeconfig", "give its content as KUBECONFIG_CONTENT");
}
