import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { upgradeSchema } from "../documents/upgrade.ts";
import { INTERPRETER, programCommand } from "../program/installed-program.ts";
import { documentText } from "../refusal/document.ts";
import type { InputPlace } from "../refusal/refusal.ts";

/**
 * Takes the nodes of a cluster to a release of Kubernetes, one by one; nothing happens where they have it.
 * @param kubeconfig of a cluster whose nodes are there
 * @returns the same kubeconfig, secret, once all nodes are of that release
 */
export function upgraded(
  name: string,
  place: InputPlace,
  { kubeconfig, release }: { kubeconfig: pulumi.Output<string>; release: string },
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const upgrade = new command.local.Command(
    `${name}-upgrade`,
    {
      interpreter: INTERPRETER,
      create: programCommand("cluster", "upgrade"),
      stdin: documentText(place, upgradeSchema, { version: release }),
      environment: { KUBECONFIG_CONTENT: kubeconfig },
      logging: command.local.Logging.Stderr,
      addPreviousOutputInEnv: false,
      triggers: [release],
    },
    // Nodes are drained one after the other, and PodDisruptionBudgets may take their time.
    { ...opts, customTimeouts: { create: "6h", update: "6h" } },
  );
  return pulumi.secret(pulumi.all([kubeconfig, upgrade.stdout]).apply(([text]) => text));
}
