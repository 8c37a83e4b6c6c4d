import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments.ts";
import { API_SERVER_PORT } from "../documents/defaults.ts";
import { firstAddress, type LabResult, labAddressIpv6 } from "../documents/lab.ts";
import {
  type ApiServerAddress,
  type LocalSubnet,
  type Machine,
  type MachineAddress,
  MachineRole,
} from "../machine/machine.ts";
import { INTERPRETER, programCommand } from "../program/installed-program.ts";
import { componentType } from "../program/package-name.ts";
import { argumentsOf } from "../refusal/refusal.ts";
import { upgraded } from "../release/upgrade.ts";
import type { LocalClusterArgs } from "./args.ts";
import { localImageDigests } from "./images.ts";
import { labOf } from "./inputs.ts";

/**
 * A Kubernetes cluster made by kubeadm, without kube-proxy and without a network plugin, whose machines are network
 * namespaces of this computer. Needs Linux, root, and a checkout after `make build`, which the variable EBPF_DATAPLANE_PACKAGE names where the
 * program is elsewhere; no cloud and no container engine. Give it its network with `Dataplane`.
 */
export class LocalCluster extends pulumi.ComponentResource {
  /** Administrator's kubeconfig (YAML), for use on this computer. */
  readonly kubeconfig: pulumi.Output<string>;
  /** Where the nodes reach the API server. */
  readonly apiServer: pulumi.Output<ApiServerAddress>;
  /** Nodes of the cluster, the control plane first. */
  readonly nodes: pulumi.Output<MachineAddress[]>;
  /** Machines outside the cluster. */
  readonly clients: pulumi.Output<MachineAddress[]>;
  /** Name of the lab. */
  readonly name: pulumi.Output<string>;
  /** Content hash of the agent's image that the nodes were given: the `imageDigest` of `Dataplane`. */
  readonly agentImageDigest: pulumi.Output<string>;

  constructor(name: string, args: LocalClusterArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("LocalCluster", name);
    args = requireArguments(place, "LocalCluster", args);
    const lab = labOf(place, args);
    super(componentType("LocalCluster"), name, args, opts);

    const images = localImageDigests();
    const up = new command.local.Command(
      `${name}-lab`,
      {
        interpreter: INTERPRETER,
        create: programCommand("lab", "up"),
        delete: programCommand("lab", "down", lab.name),
        stdin: lab.document.apply((spec) => JSON.stringify({ ...spec, kubeProxy: args.loadKubeProxyImage ?? false })),
        // Says only that the images changed, so that they are loaded again; and whose lab it is, for `lab list`.
        environment: {
          EBPF_DATAPLANE_IMAGES: images.all,
          EBPF_DATAPLANE_STACK: `${pulumi.getProject()}.${pulumi.getStack()}`,
        },
        // Progress is on stderr; stdout carries the administrator's credentials.
        logging: command.local.Logging.Stderr,
        addPreviousOutputInEnv: false,
        // Everything else is done to the running lab, by the same command.
        triggers: [pulumi.jsonStringify(lab.unchangeable)],
      },
      {
        parent: this,
        additionalSecretOutputs: ["stdout"],
        // A lab owns its name: the changed one can only be made once the former is gone.
        deleteBeforeReplace: true,
        customTimeouts: { create: "30m", update: "30m", delete: "10m" },
      },
    );

    const kubeconfig = up.stdout.apply((stdout) => (JSON.parse(stdout) as LabResult).kubeconfig);
    this.kubeconfig = upgraded(
      name,
      place,
      { kubeconfig: pulumi.secret(kubeconfig), release: lab.kubernetesVersion },
      { parent: this },
    );
    // The lab is as declared, so a preview knows everything except the credentials; users of these outputs still wait for the lab.
    const [controlPlane] = lab.machines as [Machine, ...Machine[]];
    const standing = <Value>(value: Value): pulumi.Output<Value> => up.urn.apply(() => value);
    this.apiServer = standing({ host: firstAddress(args, controlPlane), port: API_SERVER_PORT });
    const ofRoles = (...roles: MachineRole[]): Machine[] => lab.machines.filter(({ role }) => roles.includes(role));
    const addresses = (machines: Machine[]) => standing(addressesOf(machines, lab.isDualStack, args.subnets));
    this.nodes = addresses(ofRoles(MachineRole.ControlPlane, MachineRole.Worker));
    this.clients = addresses(ofRoles(MachineRole.Client));
    this.name = standing(lab.name);
    this.agentImageDigest = standing(images.agent);
    this.registerOutputs({
      kubeconfig: this.kubeconfig,
      apiServer: this.apiServer,
      nodes: this.nodes,
      clients: this.clients,
      name: this.name,
      agentImageDigest: this.agentImageDigest,
    });
  }
}

function addressesOf(machines: Machine[], isDualStack: boolean, subnets?: LocalSubnet[]): MachineAddress[] {
  return machines.map((machine) => {
    const { name, address } = machine;
    return { name, address, ...(isDualStack && { addressIpv6: labAddressIpv6(machine, { subnets }) }) };
  });
}
