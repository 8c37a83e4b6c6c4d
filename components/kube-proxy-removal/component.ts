import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments.ts";
import { type KubeProxyResult, kubeProxySchema } from "../documents/kube-proxy.ts";
import { INTERPRETER, programCommand } from "../program/installed-program.ts";
import { componentType } from "../program/package-name.ts";
import { documentText } from "../refusal/document.ts";
import { argumentsOf, at, checkedField } from "../refusal/refusal.ts";
import { requireKubeconfig } from "../values/credentials.ts";
import { requireClusterId } from "../values/names.ts";
import type { KubeProxyRemovalArgs } from "./args.ts";

/**
 * Takes the cluster's own kube-proxy off the nodes, and puts it back when it is destroyed. Let it depend on the `Dataplane`: then
 * services are handled all the time, on the way there and on the way back. The DaemonSet and its configuration stay in the cluster; a
 * key in its node selector that no node has keeps it off the nodes. Its rules are removed by the dataplane's agents.
 */
export class KubeProxyRemoval extends pulumi.ComponentResource {
  /** The DaemonSets that are off the nodes, as "namespace/name". */
  readonly removed: pulumi.Output<string[]>;

  constructor(name: string, args: KubeProxyRemovalArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("KubeProxyRemoval", name);
    args = requireArguments(place, "KubeProxyRemoval", args);
    const kubeconfig = requireKubeconfig(at(place, "kubeconfig"), args.kubeconfig);
    const { clusterId } = checkedField(place, "clusterId", args.clusterId, requireClusterId);
    super(componentType("KubeProxyRemoval"), name, args, opts);
    const run = new command.local.Command(
      `${name}-removal`,
      {
        interpreter: INTERPRETER,
        create: programCommand("cluster", "remove-kube-proxy"),
        delete: programCommand("cluster", "restore-kube-proxy"),
        stdin: documentText(place, kubeProxySchema, { clusterId }),
        environment: { KUBECONFIG_CONTENT: pulumi.secret(kubeconfig) },
        logging: command.local.Logging.Stderr,
      },
      { parent: this, customTimeouts: { create: "10m", delete: "10m" } },
    );
    this.removed = run.stdout.apply((stdout) => (JSON.parse(stdout) as KubeProxyResult).removed);
    this.registerOutputs({ removed: this.removed });
  }
}
