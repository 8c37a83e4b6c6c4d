import type { RemoteMachine } from "../components/documents/remote-machine.ts";
import { chosenKubeconfig, type KubeconfigSources } from "../kubernetes/chosen-kubeconfig.ts";
import { KubernetesError, withNext } from "../kubernetes/errors.ts";
import { apiServerOf, type Kubeconfig } from "../kubernetes/kubeconfig.ts";
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

/** No cluster to check. */
export class NoCluster extends Error {}

/** The lab's cluster, while the lab is still being made or removed. */
export class LabAtWork extends NoCluster {
  /** Without the next step. */
  readonly why: string;

  constructor(why: string) {
    super(`${why}. Next: wait until that ends; the command \`status --wait\` waits for the cluster`);
    this.why = why;
  }
}

/** @throws NoCluster */
export function loadKubeconfig(sources: KubeconfigSources): Kubeconfig {
  try {
    return chosenKubeconfig(sources);
  } catch (error) {
    throw error instanceof KubernetesError ? new NoCluster(withNext(error)) : error;
  }
}

/** What a command line says about the cluster. */
export interface NamedCluster {
  /** Path of its kubeconfig. */
  kubeconfig?: string;
  context?: string;
}

/**
 * The cluster that a command line, a deployment, kubectl's variable or the lab names, in this order. Commands that change nothing also look
 * where kubectl does without a variable; those that apply objects do so only in a context that is named, so that none gets there by mistake.
 */
export function namedKubeconfig(named: NamedCluster, lab: NamedLab, changes: boolean): Kubeconfig {
  const { KUBECONFIG_CONTENT: content, KUBECONFIG: environment } = process.env;
  if (meansLab(named)) requireLabsCluster(lab);
  const { kubeconfig: path, context } = named;
  const local = context ? undefined : lab.kubeconfig;
  const home = Boolean(context) || !changes;
  return loadKubeconfig({ path, content, environment, local, hidden: lab.hidden, home, context });
}

type NamedLab = Lab & { name: string };

/** Whether nothing names another cluster than the lab's. */
export function meansLab({ kubeconfig, context }: NamedCluster): boolean {
  const { KUBECONFIG_CONTENT, KUBECONFIG } = process.env;
  return ![kubeconfig, context, KUBECONFIG_CONTENT, KUBECONFIG].some(Boolean);
}

/** A lab whose cluster cannot be asked. A user who meant the lab must not get another cluster. @throws NoCluster */
function requireLabsCluster({ name, kubeconfig, exists, worker, machines }: NamedLab): void {
  const stopped = machines.find(({ role, pid }) => role === "control-plane" && pid === undefined);
  if (kubeconfig && !stopped) return;
  if (worker) throw new LabAtWork(`lab ${name} has no cluster yet: ${worker} works on it`);
  if (kubeconfig && stopped)
    throw new NoCluster(
      `lab ${name} is stopped: its control plane ${stopped.name} does not run, as after a reboot. Next: \`make up\` boots it`,
    );
  if (exists)
    throw new NoCluster(
      `lab ${name} has no kubeconfig. Next: if it was left by a run that was ended, \`make up\` completes it; of a rehearsal of AWS, set KUBECONFIG to a file with the stack's output kubeconfig`,
    );
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
