import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments";
import {
  API_SERVER_PORT,
  type ApiServerAddress,
  type Machine,
  type MachineAddress,
  MachineRole,
  requireMachines,
  WALK_THROUGH_MACHINES,
} from "../machine/machine";
import { INTERPRETER, programCommand } from "../program/installed-program";
import { componentType } from "../program/package-name";
import { argumentsOf, at, type InputPlace, refuse } from "../refusal/refusal";
import { requireRelease } from "../release/inputs";
import { DEFAULT_RELEASE } from "../release/kubernetes-release";
import { upgraded } from "../release/upgrade";
import { contains, firstAndLast, overlap, requireServiceSubnet, requireUnicastCidr } from "../values/addresses";
import { localImageDigests } from "./images";

/** Arguments of `LocalCluster`. */
export interface LocalClusterArgs {
  /**
   * Name of the lab: at most 12 lower case letters and digits, beginning with a letter. Labs of different names run side
   * by side on one computer. Defaults to "local".
   */
  name?: string;
  /**
   * Release of Kubernetes, one of those that were built on this computer. A later one upgrades the running nodes, drained one by one, as in
   * `AwsCluster`. Defaults to "v1.35.0".
   */
  kubernetesVersion?: string;
  /**
   * Whether the nodes are given kube-proxy's image, which `Dataplane.serviceHandling` may need. A change does not replace the
   * cluster. Defaults to false.
   */
  kubeProxyImage?: boolean;
  /** IPv4 network the pods' addresses come from. Defaults to "10.244.0.0/16". */
  podSubnet?: string;
  /** IPv4 network the Services' addresses come from; apart from `podSubnet`. Defaults to "10.96.0.0/12". */
  serviceSubnet?: string;
  /**
   * Nodes and clients. Defaults to the control plane "master" (172.31.1.8), the worker "node" (172.31.1.207), and the clients
   * "client1" (172.31.1.55) and "client2" (172.31.1.162).
   */
  machines?: Machine[];
}

/**
 * A Kubernetes cluster made by kubeadm, without kube-proxy and without a network plugin, whose machines are network
 * namespaces of this computer. Needs Linux and root; no cloud and no container engine. Give it its network with `Dataplane`.
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
        stdin: JSON.stringify({ ...lab, kubeProxy: args.kubeProxyImage ?? false }),
        // Says only that the images changed, so that they are loaded again.
        environment: { EBPF_DATAPLANE_IMAGES: images.all },
        // Progress is on stderr; stdout carries the administrator's credentials.
        logging: command.local.Logging.Stderr,
        addPreviousOutputInEnv: false,
        // Another release upgrades the cluster, everything else makes another one.
        triggers: [JSON.stringify({ ...lab, kubernetesVersion: undefined })],
      },
      {
        parent: this,
        additionalSecretOutputs: ["stdout"],
        // A lab owns its name: the changed one can only be made once the former is gone.
        deleteBeforeReplace: true,
        customTimeouts: { create: "30m", update: "30m", delete: "10m" },
      },
    );

    const kubeconfig = up.stdout.apply((stdout) => (JSON.parse(stdout) as LabDocument).kubeconfig);
    this.kubeconfig = upgraded(
      name,
      { kubeconfig: pulumi.secret(kubeconfig), release: lab.kubernetesVersion },
      { parent: this },
    );
    // The lab is what was asked for, so a preview knows all of it but the credentials; whoever uses it still waits for the lab.
    const [controlPlane] = lab.machines as [Machine, ...Machine[]];
    const standing = <Value>(value: Value): pulumi.Output<Value> => up.urn.apply(() => value);
    this.apiServer = standing({ host: controlPlane.address, port: API_SERVER_PORT });
    this.nodes = standing(addressesOf(lab.machines.filter(({ role }) => role !== MachineRole.Client)));
    this.clients = standing(addressesOf(lab.machines.filter(({ role }) => role === MachineRole.Client)));
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

/** The network of a lab's machines, and its switch in it (`lab/names.ts`). */
const LAB_SUBNET = "172.31.1.0/24";
const LAB_SWITCH = "172.31.1.1";

/** The part of what `lab up` prints that nobody knows before the cluster stands. */
interface LabDocument {
  kubeconfig: string;
}

function addressesOf(machines: Machine[]): MachineAddress[] {
  return machines.map(({ name, address }) => ({ name, address }));
}

/** The document that `lab up` reads, from checked arguments. */
function labOf(place: InputPlace, args: LocalClusterArgs) {
  const { name = "local", kubernetesVersion = DEFAULT_RELEASE, machines = WALK_THROUGH_MACHINES } = args;
  const { podSubnet = "10.244.0.0/16", serviceSubnet = "10.96.0.0/12" } = args;
  if (!/^[a-z][a-z0-9]{0,11}$/.test(name)) {
    refuse(at(place, "name"), name, "at most 12 lower case letters and digits, beginning with a letter");
  }
  requireRelease(at(place, "kubernetesVersion"), kubernetesVersion);
  requireUnicastCidr(at(place, "podSubnet"), podSubnet, 24);
  requireServiceSubnet(at(place, "serviceSubnet"), serviceSubnet);
  if (overlap(podSubnet, serviceSubnet)) {
    refuse(at(place, "podSubnet"), podSubnet, `apart from serviceSubnet ${serviceSubnet}`);
  }
  for (const [field, cidr] of Object.entries({ podSubnet, serviceSubnet })) {
    if (overlap(cidr, LAB_SUBNET)) refuse(at(place, field), cidr, `apart from the machines' network ${LAB_SUBNET}`);
  }
  requireMachines(at(place, "machines"), machines);
  machines.forEach((machine, index) => {
    const item = at(at(place, "machines"), index);
    // What a host name, a network namespace and a cgroup may all be called.
    if (machine.name === "switch" || !/^[a-z]/.test(machine.name)) {
      refuse(
        at(item, "name"),
        machine.name,
        'a name that begins with a letter and is not "switch", which is the lab\'s own',
      );
    }
    const taken = [LAB_SWITCH, ...firstAndLast(LAB_SUBNET)].includes(machine.address);
    if (!contains(LAB_SUBNET, machine.address) || taken) {
      refuse(at(item, "address"), machine.address, `from 172.31.1.2 to 172.31.1.254, the machines' network`);
    }
  });
  const controlPlaneFirst = [...machines].sort((one, other) => rank(one) - rank(other));
  return { name, kubernetesVersion, podSubnet, serviceSubnet, machines: controlPlaneFirst };
}

function rank(machine: Machine): number {
  return machine.role === MachineRole.ControlPlane ? 0 : 1;
}
