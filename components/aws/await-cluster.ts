import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { AwsClusterArgs } from "../aws-cluster-args";
import { INTERPRETER, programCommand } from "../installed-program";
import type { ApiServerAddress } from "../machine";
import type { nodes } from "./nodes";
import type { AwsSdk } from "./sdk-types";

interface Awaited {
  args: AwsClusterArgs;
  made: ReturnType<typeof nodes>;
  /** Where nodes reach the API server. */
  apiServer: ApiServerAddress;
  /** Name of the kubeconfig's parameter. */
  kubeconfig: pulumi.Output<string>;
}

/**
 * Waits for what instances make of themselves: first for the control plane's word that its kubeconfig is written, then with it
 * for the workers. @returns the kubeconfig, secret, once the cluster is whole.
 */
export function awaitCluster(sdk: AwsSdk, name: string, awaited: Awaited, opts: pulumi.CustomResourceOptions) {
  const { args, made, apiServer } = awaited;
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

  const place = host.apply((address) =>
    JSON.stringify({ host: address, port: apiServer.port, adminCidrs: args.adminCidrs }),
  );
  const controlPlane = wait(
    "control-plane",
    place,
    made.controlPlane.instance.id,
    {},
    {
      dependsOn: made.association ? [made.association] : [],
    },
  );
  const published = sdk.ssm.getParameterOutput(
    { name: awaited.kubeconfig, withDecryption: true },
    { ...opts, dependsOn: [controlPlane] },
  );
  const kubeconfig = pulumi.secret(
    pulumi.all([published.value, host]).apply(([text, address]) => reachedAt(text, address, apiServer.port)),
  );
  const names = JSON.stringify({ nodes: made.made.map(({ machine }) => machine.name) });
  const workers = wait(
    "nodes",
    pulumi.output(names),
    ids.apply((all) => all.join(" ")),
    {
      environment: { KUBECONFIG_CONTENT: kubeconfig },
    },
    {},
  );
  return pulumi.secret(pulumi.all([kubeconfig, workers.stdout]).apply(([text]) => text));
}

/** The control plane writes its private address; what this computer reaches may be another. */
function reachedAt(kubeconfig: string, host: string, port: number): string {
  return kubeconfig.replace(/^(\s*server:).*$/m, `$1 https://${host}:${port}`);
}
