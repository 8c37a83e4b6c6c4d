import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";

/** Where an agent works. All of it can be given on the command line, so that several agents run on one computer. */
export interface AgentOptions {
  /** Name of this machine's Node object. */
  readonly node: string;
  /** Folder of Kubernetes objects in files, instead of an API server. */
  readonly objects?: string;
  /** File that says how to reach the API server; by default as a pod. */
  readonly kubeconfig?: string;
  /** This node's address; by default the Node object's InternalIP. */
  readonly nodeAddress?: string;
  readonly settings: string;
  readonly runDirectory: string;
  /** The same folder as the container runtime sees it. */
  readonly runDirectoryOnNode?: string;
  readonly pinRoot: string;
  /** At or below this is the cgroup2 mount that the socket hooks go to. */
  readonly cgroupRoot: string;
  /** /proc/sys as the node has it: a container's own is read-only. */
  readonly sysctlRoot: string;
  readonly cniBin: string;
  readonly cniConf: string;
  readonly healthPort: number;
  readonly metricsPort: number;
  /** The address that metrics are served at. */
  readonly metricsAddress: string;
  /** "clsact" behaves as if the kernel had no TCX. */
  readonly attach: "auto" | "clsact";
}

// Beside the bundle, in the image as in dist/.
export const programFolder = (folder = import.meta.dirname) => join(folder, "bpf");
export const shimPath = (folder = import.meta.dirname) => join(folder, "cni", "ebpf-dataplane");

/** Where the agent tells what happens to packets; a file of its run directory. */
export const EVENT_SOCKET = "events.sock";
/** What numbers in the maps stand for; a file of its run directory. */
export const NAMES_FILE = "names.json";
/** What the numbers in the maps hang on (salt.ts). */
export const SALT_FILE = "numbers.salt";

/** A file of the agent's own on this node. */
export function runFile(options: Pick<AgentOptions, "runDirectory">, name: string): string {
  return join(options.runDirectory, name);
}

/** Adds the options that say where an agent works. Their defaults are a node's, seen from the agent's container. */
export function addAgentOptions(command: Command): Command {
  const option = (flags: string, description: string, fallback?: string, variable?: string) => {
    const made = new Option(flags, description);
    if (fallback !== undefined) made.default(fallback);
    if (variable) made.env(variable);
    command.addOption(made);
  };
  option("--settings <file>", "the Dataplane component's settings", "/etc/ebpf-dataplane/settings.json");
  option("--run-directory <folder>", "socket, lock and endpoints of this node", "/run/ebpf-dataplane");
  option("--run-directory-on-node <folder>", "the same as the container runtime sees it, if it differs");
  option("--pin-root <folder>", "where maps and links are pinned, on a bpffs", "/sys/fs/bpf/ebpf-dataplane");
  option("--cgroup-root <folder>", "where the node's cgroup2 mount is, or above it", "/host/sys/fs/cgroup");
  option("--sysctl-root <folder>", "where the node's /proc/sys can be written", "/host/proc/sys");
  option("--cni-bin <folder>", "where the container runtime looks for plugins", "/host/opt/cni/bin");
  option("--cni-conf <folder>", "where it looks for their configuration", "/host/etc/cni/net.d");
  command.addOption(port("--health-port <port>", "serves /live and /ready on 127.0.0.1", 9099));
  command.addOption(port("--metrics-port <port>", "serves /metrics", 9098));
  option("--metrics-address <address>", "where: 127.0.0.1 is this node only, 0.0.0.0 everybody", "127.0.0.1");
  command.addOption(
    new Option("--attach <method>", "how programs are put on interfaces")
      .choices(["auto", "clsact"])
      .default("auto")
      .env("EBPF_DATAPLANE_ATTACH"),
  );
  return command;
}

function port(flags: string, description: string, fallback: number): Option {
  const parse = (text: string) => {
    const number = Number(text);
    if (Number.isInteger(number) && number > 0 && number < 65_536) return number;
    throw new InvalidArgumentError("a port is a number from 1 to 65535.");
  };
  return new Option(flags, description).default(fallback).argParser(parse);
}
