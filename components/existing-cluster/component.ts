import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments.ts";
import { ReturnMode } from "../dataplane/args.ts";
import { requireDataplane } from "../dataplane/inputs.ts";
import { neededDefinitions } from "../dataplane/monitoring/objects.ts";
import { type PreflightFinding, type PreflightResult, preflightSchema } from "../documents/preflight.ts";
import type { EgressGatewaySpec } from "../egress-gateway/args.ts";
import type { ApiServerAddress, MachineAddress } from "../machine/machine.ts";
import { agentImage } from "../program/agent-image.ts";
import { INTERPRETER, programCommand, programHash } from "../program/installed-program.ts";
import { componentType } from "../program/package-name.ts";
import { documentText } from "../refusal/document.ts";
import { argumentsOf, at, checkedField } from "../refusal/refusal.ts";
import { requireKubeconfig } from "../values/credentials.ts";
import { requireClusterId } from "../values/names.ts";
import { type ExistingClusterArgs, ExistingKubeProxy, OtherNetworkPlugin } from "./args.ts";

/**
 * A cluster that you have. Looks at it before anything is changed, and ends the deployment with a table where something stands in the
 * way: let the `Dataplane` depend on it. When the stack is destroyed, takes off the nodes what outlives the dataplane's agents.
 */
export class ExistingCluster extends pulumi.ComponentResource {
  /** Administrator's kubeconfig (YAML), as it was given. */
  readonly kubeconfig: pulumi.Output<string>;
  /** Where the nodes reach the API server. */
  readonly apiServer: pulumi.Output<ApiServerAddress>;
  /** Nodes of the cluster by their addresses. */
  readonly nodes: pulumi.Output<MachineAddress[]>;
  /** What tells this cluster from every other. */
  readonly clusterId: pulumi.Output<string>;
  /** What was found, what needs doing first. */
  readonly findings: pulumi.Output<PreflightFinding[]>;

  constructor(name: string, args: ExistingClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("ExistingCluster", name);
    args = requireArguments(place, "ExistingCluster", args);
    const { existingKubeProxy = ExistingKubeProxy.Refuse, probeNodes = true } = args;
    const { otherNetworkPlugin = OtherNetworkPlugin.Refuse } = args;
    const { clusterId } = checkedField(place, "clusterId", args.clusterId, requireClusterId);
    const given = requireKubeconfig(at(place, "kubeconfig"), args.kubeconfig);
    const dataplane = requireDataplane(at(place, "dataplane"), args.dataplane);
    super(componentType("ExistingCluster"), name, args, opts);

    const { returnMode = ReturnMode.Dsr, mtu, apiServer, ipPools, serviceSubnet, serviceSubnetIpv6 } = dataplane;
    const { nodeSelector, affinity, tolerations, imagePullSecrets, ipam, encryption, egressGateways } = dataplane;
    const { nodeSelectorTerms } = affinity?.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution ?? {};
    const image = dataplane.image ?? agentImage(dataplane.imageRegistry);
    const { namespace } = dataplane;
    const plan = documentText(place, preflightSchema, {
      apiServer,
      image,
      returnMode,
      podCidrs: ipPools.map(({ cidr }) => cidr),
      ...(ipam && { ipam }),
      ...(encryption && { encryption }),
      serviceSubnet,
      serviceSubnetIpv6,
      mtu,
      ...(egressGateways && { egressGateways: egressGateways.map(placeOf) }),
      ...(namespace !== undefined && { namespace, createNamespace: dataplane.createNamespace ?? false }),
      nodeSelector,
      nodeSelectorTerms,
      tolerations,
      imagePullSecrets,
      ...(dataplane.clusterNetworkPolicyDefinition === false && { clusterNetworkPolicyDefinition: false }),
      ...(dataplane.monitoring && { neededDefinitions: neededDefinitions(dataplane.monitoring) }),
      existingKubeProxy,
      otherNetworkPlugin,
      clusterId,
      probeNodes,
    });
    // Without triggers: a change is an update, and an update receives the output of the previous run (clusterId).
    const preflight = new command.local.Command(
      `${name}-preflight`,
      {
        interpreter: INTERPRETER,
        create: programCommand("cluster", "preflight"),
        // It was there before the dataplane, so it goes after it.
        delete: programCommand("cluster", "clean-nodes"),
        stdin: plan,
        environment: {
          KUBECONFIG_CONTENT: pulumi.secret(given),
          // Another version of this package may find something else.
          EBPF_DATAPLANE_PROGRAM: programHash("cluster"),
        },
        // The table is on stderr, for people; stdout is the result.
        logging: command.local.Logging.Stderr,
      },
      { parent: this, customTimeouts: { create: "10m", update: "10m", delete: "10m" } },
    );
    const result = preflight.stdout.apply((stdout) => JSON.parse(stdout) as PreflightResult);
    this.kubeconfig = pulumi.secret(given);
    this.apiServer = pulumi.output(apiServer);
    this.nodes = result.apply(({ nodes }) => nodes);
    this.clusterId = result.apply((found) => found.clusterId);
    this.findings = result.apply(({ findings }) => findings);
    const { kubeconfig, nodes, findings } = this;
    this.registerOutputs({ kubeconfig, apiServer: this.apiServer, nodes, clusterId: this.clusterId, findings });
  }
}

/** What the nodes say about it. */
function placeOf({ name, nodeSelector, addresses }: EgressGatewaySpec) {
  return { name, nodeSelector, ...(addresses && { addresses }) };
}
