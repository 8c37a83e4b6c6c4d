import type * as pulumi from "@pulumi/pulumi";
import type { ReturnMode, ServiceHandling } from "../dataplane/args.ts";
import type { MachineAddress } from "../machine/machine.ts";
import type { Expectation } from "./expectation.ts";

/** The component that handles services while connections are measured. */
export enum ComparisonMode {
  /** kube-proxy with iptables rules. */
  KubeProxyIptables = "KubeProxyIptables",
  /** kube-proxy with nftables rules. */
  KubeProxyNftables = "KubeProxyNftables",
  /** This dataplane, replies through the entry node. */
  EbpfTunnel = "EbpfTunnel",
  /** This dataplane, replies straight to the client. */
  EbpfDsr = "EbpfDsr",
  /** No service at all, from the client to the pod: the lower bound. */
  Direct = "Direct",
}

/** A figure of measured connections. */
export enum LatencyQuantity {
  /** Mean time of a new connection (connect, request, answer, close), microseconds. */
  MeanUs = "meanUs",
  /** Median of the same. */
  MedianUs = "medianUs",
  /** 90th percentile of the same. */
  P90Us = "p90Us",
  /** 99th percentile of the same. */
  P99Us = "p99Us",
  /** CPU time of the whole computer per connection, microseconds. */
  CpuUsPerConnection = "cpuUsPerConnection",
}

/** The destination of connections: a node port, for clients outside the cluster; or a service, for pods. */
export interface VerificationTarget {
  /** Address that the clients connect to, of any node; each client needs an address of its family. Either this with `nodePort`, or `entryNode` with it, or `service`. */
  entryAddress?: pulumi.Input<string>;
  /** Name of the node that the clients connect to. */
  entryNode?: pulumi.Input<string>;
  /** Node port of the service, from 30000 to 32767. */
  nodePort?: pulumi.Input<number>;
  /** Name of a service that pods connect to, at its cluster address; it is in the verification's `namespace`. */
  service?: pulumi.Input<string>;
  /** Port of that service. */
  port?: pulumi.Input<number>;
  /** Pods that connect to it and must be served, seen with their own addresses: `pod/NAMESPACE/NAME` or `pod/NAMESPACE/LABEL=VALUE`. */
  from?: pulumi.Input<string>[];
}

/** New connections to the first node port, timed. */
export interface LatencyMeasurement {
  /** New connections in each mode, at most 60000. Defaults to 10000. */
  connections?: number;
  /** Connections at the same time, at most 256. Defaults to 1. */
  concurrency?: number;
  /** Name of the client that connects. Defaults to the first one that policies do not drop. */
  client?: string;
}

/** A limit that fails the deployment. It is exceeded if the figure, or the lower end of its confidence interval if it has one, is above. */
export interface LatencyThreshold {
  /** The figure. */
  quantity: LatencyQuantity;
  /** The mode; it must be measured. Defaults to the deployment's own. */
  mode?: ComparisonMode;
  /** The limit is for the ratio to this mode, which must be measured too. Defaults to no baseline. */
  baseline?: ComparisonMode;
  /** Largest value allowed: microseconds, or the ratio where there is a baseline. */
  atMost: number;
}

/** Whether a machine proves its identity by its SSH host key. */
export enum HostKeyChecking {
  /** Only the known host key is accepted. */
  Strict = "strict",
  /** Any host key is accepted. Only for machines that were just made and exist for a short time. */
  Off = "off",
}

/** How this computer logs in to a client by SSH. */
export interface SshConnection {
  /** Name of the client. */
  client: string;
  /** Address or name by which this computer reaches it. */
  host: pulumi.Input<string>;
  /** Port of its SSH server. Defaults to the one in OpenSSH's configuration, 22. */
  port?: number;
  /** The user that logs in, who needs no rights there. Defaults to the one in OpenSSH's configuration. */
  user?: string;
  /** Its only public host key, e.g. "ssh-ed25519 AAAA…". Defaults to the one in this user's known_hosts. */
  hostKey?: pulumi.Input<string>;
  /** Whether another host key is refused. Defaults to `Strict`. */
  hostKeyChecking?: HostKeyChecking;
  /** OpenSSH's ProxyCommand, as for AWS Session Manager or a jump host. Defaults to the one in OpenSSH's configuration. */
  proxyCommand?: string;
}

/** A probe server that runs during the verification. It reports who connected to it. */
export interface ProbeServer {
  /** Where: a machine of the lab, or `node/NAME` (its host network). */
  at: string;
  /** TCP ports, like `8080` or `8080,8081`. Defaults to none. */
  tcp?: string;
  /** UDP ports, like `8080` or `8080,8081`. Defaults to none. */
  udp?: string;
}

/** Arguments of `SourceIpVerification`. */
export interface SourceIpVerificationArgs {
  /** Administrator's kubeconfig (YAML) of the cluster. */
  kubeconfig: pulumi.Input<string>;
  /** Name of the lab whose machines the clients are. Defaults to "local". */
  labName?: pulumi.Input<string>;
  /** Machines outside the cluster that use the service. */
  clients: pulumi.Input<MachineAddress[]>;
  /** How this computer logs in to clients by SSH. Defaults to none: the clients are machines of the lab. */
  ssh?: SshConnection[];
  /** Private key for `ssh`, as OpenSSH writes it, without a passphrase. Defaults to what OpenSSH finds by itself (agent, configuration). */
  sshPrivateKey?: pulumi.Input<string>;
  /** Image of the probers that run on nodes meanwhile (docs/checks.md#evidence), for clusters without this package's agents. Defaults to the agents' image. */
  probeImage?: pulumi.Input<string>;
  /** Names of the clients that the network policies in force must drop; the others must be served. Defaults to none. */
  droppedClients?: pulumi.Input<pulumi.Input<string>[]>;
  /** With `nodePort`, short for a first target: address of the node that the clients connect to. */
  entryAddress?: pulumi.Input<string>;
  /** With `entryAddress`: node port of the service, from 30000 to 32767. */
  nodePort?: pulumi.Input<number>;
  /** Further destinations: the node port through other nodes, the service from pods. Defaults to none. */
  targets?: VerificationTarget[];
  /** Namespace of the service's pods. Defaults to "default". */
  namespace?: pulumi.Input<string>;
  /** Labels that select the service's pods. */
  podLabels: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** How the replies must return, shown by evidence on the entry node. Defaults to `Dsr`. */
  returnMode?: ReturnMode;
  /**
   * Who handles services: with kube-proxy the pods must see the entry node's address, replies must pass that node, and where
   * clients are dropped all of them must be. Defaults to `Ebpf`.
   */
  serviceHandling?: ServiceHandling;
  /** Further expectations, while the policies in force are the declared ones. Defaults to none. */
  expectations?: Expectation[];
  /** Probe servers on machines and nodes, while `expectations` are tried. Defaults to none. */
  listen?: ProbeServer[];
  /** Paths of check files (docs/checks.md), relative to the program's folder, carried out after that. Defaults to none. */
  checkFiles?: string[];
  /** Measures new connections. Defaults to no measurement, unless `comparisonModes` or `thresholds` need one. */
  latency?: LatencyMeasurement;
  /** Modes to switch the running cluster to and measure beside the deployment's own, in turns. Defaults to none. */
  comparisonModes?: ComparisonMode[];
  /** Limits for what is measured. Defaults to none. */
  thresholds?: LatencyThreshold[];
  /** Further inputs of the result, like `dataplane.contentHash`: a change repeats the verification. Defaults to none. */
  triggers?: pulumi.Input<string>[];
  /** Repeats the verification at every deployment, also when nothing changed. Defaults to false. */
  alwaysRun?: boolean;
  /** Folder for the result, the report and the figures, relative to the program's folder. Defaults to "out". */
  outputFolder?: string;
}
