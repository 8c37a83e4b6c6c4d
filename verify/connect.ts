import type { RemoteMachine } from "../components/documents/remote-machine.ts";
import { KubernetesError, withNext } from "../kubernetes/errors.ts";
import { apiServerOf, type Kubeconfig, kubeconfigFile, kubeconfigOf } from "../kubernetes/kubeconfig.ts";
import { recentLog } from "../kubernetes/logs.ts";
import { realClock } from "../kubernetes/patience.ts";
import { labMachine, type Programs } from "./actors/lab-machine.ts";
import { sshMachine } from "./actors/ssh-machine.ts";
import { objectsOf } from "./cluster/objects.ts";
import { readView } from "./cluster/view.ts";
import type { World } from "./engine/world.ts";
import type { Lab } from "./lab.ts";
import { NodeProbers } from "./probers/node-probers.ts";
import type { Telling } from "./terminal.ts";
import { observeOccasion } from "./verification/occasion.ts";

/** Where the cluster's address and credentials come from, in this order. */
export interface KubeconfigSources {
  /** A path given on the command line. */
  path?: string;
  /** The content itself, as a deployment passes it (a secret: never in arguments). */
  content?: string;
  /** The variable that kubectl reads. */
  environment?: string;
  lab?: string;
}

/** No cluster to check. */
export class NoCluster extends Error {}

export function loadKubeconfig({ path, content, environment, lab }: KubeconfigSources): Kubeconfig {
  const file = path ?? (content ? undefined : environment || lab);
  try {
    if (content && !path) return kubeconfigOf(content);
    if (file) return kubeconfigFile(file);
    throw new Error("there is none: start the local cluster with `make up`, or give --kubeconfig or KUBECONFIG");
  } catch (error) {
    const why = error instanceof KubernetesError ? withNext(error) : (error as Error).message;
    throw new NoCluster(`kubeconfig${file ? ` ${file}` : ""}: ${why}`);
  }
}

/** The cluster that a command line, a deployment, kubectl's variable or the lab names, in this order. */
export function namedKubeconfig(path: string | undefined, lab: Lab): Kubeconfig {
  const { KUBECONFIG_CONTENT: content, KUBECONFIG: environment } = process.env;
  return loadKubeconfig({ path, content, environment, lab: lab.kubeconfig });
}

/** The variable with the private key for machines over SSH: a secret, so never an argument. */
const SSH_KEY = "EBPF_DATAPLANE_SSH_KEY";

/** What a world is connected to. */
export interface Connection {
  config: Kubeconfig;
  lab: Lab & { name: string };
  programs: Programs;
  stopping: AbortSignal;
  telling: Telling;
  /** Machines over SSH. */
  remote?: RemoteMachine[];
  /** Image of the probers on nodes; absent: the agents'. */
  probeImage?: string;
}

/** A connected world; must be closed. */
export interface ConnectedWorld extends World {
  /** Removes the probers from nodes. */
  close(): Promise<void>;
}

/** The real world: this cluster, this lab's machines and those over SSH, this clock. */
export function connectWorld(connection: Connection): ConnectedWorld {
  const { config, lab, programs, stopping, remote = [], probeImage } = connection;
  const { note, now } = connection.telling;
  const api = apiServerOf(config);
  const probers = new NodeProbers(api, realClock, probeImage);
  const { [SSH_KEY]: privateKey } = process.env;
  const here = lab.machines.filter(({ name }) => !remote.some((machine) => machine.name === name));
  return {
    machines: [...here, ...remote.map(({ name, address }) => ({ name, address }))],
    machine: (name) => {
      const machine = remote.find((one) => one.name === name);
      if (machine) return sshMachine(machine, { privateKey }, programs.probers);
      return labMachine(programs, lab.name, name);
    },
    node: (name) => probers.on(name),
    openNodes: () => probers.start(),
    close: async () => {
      const left = await probers.remove();
      if (left) note(left);
    },
    view: () => readView(api),
    objects: objectsOf(api),
    log: (pod, sinceSeconds) => recentLog(api, pod, sinceSeconds),
    clock: realClock,
    occasion: () => observeOccasion(api),
    stopping,
    progress: note,
    waiting: now,
  };
}
