import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";

/** Paths, ports and addresses of an agent. All can be set on the command line, so that several agents can run on one computer. */
export interface AgentOptions {
  /** Name of this machine's Node object. */
  readonly node: string;
  /** Folder with Kubernetes objects in files, instead of an API server. */
  readonly objects?: string;
  /** Kubeconfig file; by default the agent uses its pod's service account. */
  readonly kubeconfig?: string;
  /** This node's address; by default the Node object's InternalIP. */
  readonly nodeAddress?: string;
  readonly settings: string;
  readonly runDirectory: string;
  /** The same folder, as a path for the container runtime. */
  readonly runDirectoryOnNode?: string;
  /** For the flow log. */
  readonly logDirectory: string;
  readonly pinRoot: string;
  /** The cgroup2 mount for the socket hooks is at or below this folder. */
  readonly cgroupRoot: string;
  /** The node's /proc/sys: a container's own is read-only. */
  readonly sysctlRoot: string;
  readonly cniBin: string;
  readonly cniConf: string;
  readonly healthPort: number;
  /** kube-proxy's, for load balancers. */
  readonly proxyHealthPort: number;
  readonly metricsPort: number;
  /** The address at which metrics are served. */
  readonly metricsAddress: string;
  /** Folder with the certificate (tls.crt, tls.key) for metrics. */
  readonly metricsTls?: string;
  /** File with the token that clients of metrics send. */
  readonly metricsToken?: string;
  /** "clsact" does not use TCX even if the kernel has it. */
  readonly attach: "auto" | "clsact";
  /** "veth" uses XDP also on uplinks that are veth: tests, whose senders compute checksums. */
  readonly xdp: "cards" | "veth";
}

// Next to the bundle, in the image and in dist/.
export const programFolder = (folder = import.meta.dirname) => join(folder, "bpf");
export const shimPath = (folder = import.meta.dirname) => join(folder, "cni", "ebpf-dataplane");

/** The socket for packet events, in the run directory. */
export const EVENT_SOCKET = "events.sock";
/** The names of the numbers in the maps; a file in the run directory. */
export const NAMES_FILE = "names.json";
/** The secret from which the numbers in the maps are derived (run-folder/salt.ts). */
export const SALT_FILE = "numbers.salt";

/** The private keys of this node for packets between nodes (encryption/); a file in the run directory. */
export const WIREGUARD_FILE = "wireguard.json";

/** BIRD's configuration and its control socket (bgp/), in the run directory. */
export const BIRD_FILE = "bird.conf";
export const BIRD_SOCKET = "bird.ctl";

/** The last answers to load balancers; a file in the run directory. */
export const HEALTH_CHECKS_FILE = "health-checks.json";

/** The last good versions of policies that cannot be read (run-folder/last-good-file.ts); a file in the run directory. */
export const LAST_GOOD_FILE = "last-good-policies.json";

/** The sizes of maps that the objects name (tables/kept-map-sizes.ts); a file in the run directory. */
export const MAP_SIZES_FILE = "map-sizes.json";

/** A file in the agent's run directory. */
export function runFile(options: Pick<AgentOptions, "runDirectory">, name: string): string {
  return join(options.runDirectory, name);
}

/** Adds the options for an agent's paths, ports and addresses. Their defaults are those of a node, as paths in the agent's container. */
export function addAgentOptions(command: Command): Command {
  const option = (flags: string, description: string, fallback?: string, variable?: string) => {
    const made = new Option(flags, description);
    if (fallback !== undefined) made.default(fallback);
    if (variable) made.env(variable);
    command.addOption(made);
  };
  option("--settings <file>", "the Dataplane component's settings", "/etc/ebpf-dataplane/settings.json");
  option("--run-directory <folder>", "folder of this node's socket, lock and endpoints", "/run/ebpf-dataplane");
  option("--run-directory-on-node <folder>", "the same folder, as a path for the container runtime, if it differs");
  option("--log-directory <folder>", "folder for the flow log", "/var/log/ebpf-dataplane");
  option("--pin-root <folder>", "folder for pinned maps and links, on a bpffs", "/sys/fs/bpf/ebpf-dataplane");
  option("--cgroup-root <folder>", "the node's cgroup2 mount, or a folder above it", "/host/sys/fs/cgroup");
  option("--sysctl-root <folder>", "folder where the node's /proc/sys is writable", "/host/proc/sys");
  option("--cni-bin <folder>", "the container runtime's folder for plugins", "/host/opt/cni/bin");
  option("--cni-conf <folder>", "the container runtime's folder for plugin configurations", "/host/etc/cni/net.d");
  command.addOption(port("--health-port <port>", "serves /live and /ready on 127.0.0.1", 9099));
  command.addOption(
    port("--proxy-health-port <port>", "serves kube-proxy's /healthz and /livez on all addresses", 10256),
  );
  command.addOption(port("--metrics-port <port>", "serves /metrics", 9098));
  option(
    "--metrics-address <address>",
    "address for metrics: 127.0.0.1 for this node only, any for all clients",
    "127.0.0.1",
  );
  option("--metrics-tls <folder>", "serves metrics by HTTPS, with tls.crt and tls.key of this folder");
  option("--metrics-token <file>", "answers only clients of metrics that send the token in this file");
  command.addOption(
    new Option("--attach <method>", "how programs are attached to interfaces")
      .choices(["auto", "clsact"])
      .default("auto")
      .env("EBPF_DATAPLANE_ATTACH"),
  );
  command.addOption(
    new Option("--xdp <interfaces>", "on which uplinks XDP may be used; veth: also on one end of a veth pair")
      .choices(["cards", "veth"])
      .default("cards")
      .env("EBPF_DATAPLANE_XDP"),
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
