import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { AwsSdk } from "../aws/sdk-types.ts";
import { controlPlaneSchema, nodesSchema } from "../documents/await.ts";
import type { ApiServerAddress } from "../machine/machine.ts";
import { INTERPRETER, programCommand } from "../program/installed-program.ts";
import { documentText } from "../refusal/document.ts";
import type { InputPlace } from "../refusal/refusal.ts";
import { upgraded } from "../release/upgrade.ts";
import type { AwsClusterArgs } from "./args.ts";
import type { Exchange } from "./exchange.ts";
import type { nodes } from "./nodes.ts";
import { requireWay } from "./published-release.ts";

interface Awaited {
  /** Networks that may reach the API server. */
  adminCidrs: AwsClusterArgs["adminCidrs"];
  made: ReturnType<typeof nodes>;
  /** Address at which nodes reach the API server. */
  apiServer: ApiServerAddress;
  /** Parameter that the control plane writes. */
  exchange: Exchange;
  /** Release of Kubernetes that all nodes must run. */
  release: string;
}

/** Waits until the instances have formed the cluster: first until the control plane has written its kubeconfig, then, with that
 * kubeconfig, until the workers have joined. Upgrades the nodes to the requested release. @returns the kubeconfig (a secret) of the
 * complete cluster. */
export function awaitCluster(
  sdk: AwsSdk,
  name: string,
  place: InputPlace,
  awaited: Awaited,
  opts: pulumi.CustomResourceOptions,
) {
  const { adminCidrs, made, apiServer } = awaited;
  const host = made.publicAddress?.publicIp ?? pulumi.output(apiServer.host);
  const ids = pulumi.all(made.made.map(({ instance }) => instance.id));
  const wait = (
    last: string,
    stdin: pulumi.Output<string>,
    trigger: pulumi.Output<string>,
    more: object,
    after: object,
  ) =>
    new command.local.Command(
      `${name}-${last}`,
      {
        interpreter: INTERPRETER,
        create: programCommand("cluster", `await-${last}`),
        stdin,
        logging: command.local.Logging.Stderr,
        addPreviousOutputInEnv: false,
        triggers: [trigger],
        ...more,
      },
      { ...opts, ...after, customTimeouts: { create: "30m", update: "30m" } },
    );

  const answers = documentText(place, controlPlaneSchema, { host, port: apiServer.port, adminCidrs });
  const controlPlane = wait(
    "control-plane",
    answers,
    made.controlPlane.instance.id,
    {},
    {
      dependsOn: made.association ? [made.association] : [],
    },
  );
  const published = (name: string) =>
    sdk.ssm.getParameterOutput({ name, withDecryption: true }, { ...opts, dependsOn: [controlPlane] }).value;
  const kubeconfig = pulumi.secret(
    pulumi
      .all([published(awaited.exchange.kubeconfig.name), published(awaited.exchange.join.name), host])
      .apply(([text, join, address]) => {
        requireWay(place, join, awaited.release);
        return reachedAt(text, address, apiServer.port);
      }),
  );
  const names = documentText(place, nodesSchema, { nodes: made.made.map(({ machine }) => machine.name) });
  const workers = wait(
    "nodes",
    names,
    ids.apply((all) => all.join(" ")),
    {
      environment: { KUBECONFIG_CONTENT: kubeconfig },
    },
    {},
  );
  const whole = pulumi.secret(pulumi.all([kubeconfig, workers.stdout]).apply(([text]) => text));
  return upgraded(name, place, { kubeconfig: whole, release: awaited.release }, opts);
}

/** The kubeconfig contains the control plane's private address; this computer may need another one. */
function reachedAt(kubeconfig: string, host: string, port: number): string {
  return kubeconfig.replace(/^(\s*server:).*$/m, `$1 https://${host}:${port}`);
}
