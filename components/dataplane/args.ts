import type * as pulumi from "@pulumi/pulumi";
import type { DeclaredBgp } from "../bgp/args.ts";
import type { DeclaredEgress } from "../egress-gateway/args.ts";
import type { IpPoolSpec } from "../ip-pool/args.ts";
import type { ApiServerAddress } from "../machine/machine.ts";
import type { Protocol } from "../network-policy/args.ts";
import type { AgentPods } from "./agent-pods-args.ts";
import type { DeclaredPolicies } from "./declared-policies-args.ts";
import type { Encryption } from "./encryption-args.ts";
import type { FlowLog, FlowLogsLocalReporter } from "./flow-log-args.ts";
import type { Monitoring } from "./monitoring/args.ts";
import type { DeclaredUplinks } from "./uplinks.ts";

/** How a reply of a Service that was reached from outside the cluster returns to the client. */
export enum ReturnMode {
  /** Direct Server Return: from the pod's node straight to the client, with the address the client used. */
  Dsr = "dsr",
  /** Through the node that the client connected to. */
  Tunnel = "tunnel",
}

/** The component that gives Services their backends. */
export enum ServiceHandling {
  /** This dataplane: the client's source address is preserved. */
  Ebpf = "Ebpf",
  /** The real kube-proxy with iptables rules; this dataplane still handles pods, addresses and policies. */
  KubeProxyIptables = "KubeProxyIptables",
  /** The real kube-proxy with nftables rules; this dataplane still handles pods, addresses and policies. */
  KubeProxyNftables = "KubeProxyNftables",
}

/** Which addresses a node gives its pods. */
export enum Ipam {
  /** Any addresses of the IP pools: nodes claim blocks of them, and borrow single addresses if a pool is full. */
  Pools = "Pools",
  /** Only addresses of the pools in the node's `spec.podCIDRs`, as kubenet and the plugin host-local do. */
  HostLocal = "HostLocal",
}

/** Whether the nodes answer at addresses that Services name (`spec.externalIPs`). */
export enum ExternalIPs {
  /** As in Kubernetes, except at addresses of Services, pods and the API server, and at the nodes' own ports. */
  Allow = "Allow",
  /** External IPs are not served; load balancer addresses are. */
  Deny = "Deny",
}

/** Whose sockets are given a backend when they connect to a Service. Packets of all other sockets are translated on their way. Processes
 * on the nodes have no other way to Services, so there is no "Off". */
export enum SocketTranslation {
  /** Sockets of processes on the nodes and in pods: their packets need no translation. */
  All = "All",
  /** Sockets of processes on the nodes only. Pods' sockets see the Service's address everywhere, as sidecars expect (SO_ORIGINAL_DST). */
  HostOnly = "HostOnly",
}

/** Which clients can read the agents' metrics. The metrics show sizes and counts of a node, and need no credentials unless
 * `monitoring.access` asks for some. */
export enum MetricsAddress {
  /** Processes of the node only: 127.0.0.1. */
  Loopback = "Loopback",
  /** Every client that reaches the node's own address, for example Prometheus in a pod. */
  Node = "Node",
  /** Every client that reaches any address of the node. */
  Any = "Any",
}

/** How many entries the kernel's tables have on each node. A table uses memory for the entries in use; the one of affinities uses it for
 * all. */
export interface MapSizes {
  /**
   * Connections, two entries for each whose both directions a node sees: `bpfMapSizeConntrack` of FelixConfiguration. 1024 to 1048576.
   * Defaults to 32 for each MiB of the node's memory, at least 65536.
   */
  connections?: pulumi.Input<number>;
  /** Clients with session affinity: `bpfMapSizeNATAffinity`. 1024 to 1048576. Defaults to 8 for each MiB of memory, at least 16384. */
  affinities?: pulumi.Input<number>;
  /** Addresses times ports of Services and host ports: `bpfMapSizeNATFrontend`. 1024 to 4194304. Defaults to 131072. */
  frontends?: pulumi.Input<number>;
  /**
   * Endpoints of Services, over all their ports, and the entries of Maglev tables: `bpfMapSizeNATBackend`. 1024 to 4194304. Defaults to
   * 524288, of which 262144 may be different endpoints.
   */
  endpoints?: pulumi.Input<number>;
}

/** Which Services have metrics of their own. */
export interface ServiceMetrics {
  /** Namespaces whose Services have metrics. Defaults to all. */
  namespaces?: pulumi.Input<pulumi.Input<string>[]>;
  /** How many Services have metrics on each node, from 1 to 5000; the others are added up under one name. Defaults to 100. */
  limit?: pulumi.Input<number>;
}

/** What happens to packets from pods to their own node, after the pods' egress policies. */
export enum EndpointToHostAction {
  /** They reach the node. */
  Accept = "Accept",
  /** They are dropped. */
  Drop = "Drop",
  /** The policies of the node's host endpoint with interfaceName "*" decide. */
  Return = "Return",
}

/** A port of the nodes that no policy closes. */
export interface FailsafePort {
  /** Protocol. */
  protocol: Protocol;
  /** Destination port, from 0 to 65535. */
  port: pulumi.Input<number>;
  /** Network of the other ends for which it stays open. Defaults to all. */
  net?: pulumi.Input<string>;
}

/** Least severe messages the agent logs. */
export enum LogLevel {
  Debug = "debug",
  Info = "info",
  Warn = "warn",
  Error = "error",
}

/** Arguments of `Dataplane`. */
export interface DataplaneArgs extends DataplaneSpec {}

/** A dataplane: what `Dataplane` declares, and what `ExistingCluster` checks a cluster for. */
export interface DataplaneSpec extends DeclaredPolicies, DeclaredBgp, DeclaredEgress, DeclaredUplinks, AgentPods {
  /** Where the nodes reach the API server: never a Service, because the agent is what makes Services work. */
  apiServer: pulumi.Input<ApiServerAddress>;
  /** How replies return. A change switches a running cluster for new connections, without restarting agents. Defaults to `Dsr`. */
  returnMode?: ReturnMode;
  /** Networks of clients whose replies return through the node that they connected to although `returnMode` is `Dsr`, because a device
   * in front of them drops replies from another node. A change needs no restart. Defaults to none. */
  dsrOptOutNetworks?: pulumi.Input<pulumi.Input<string>[]>;
  /** The component that gives Services their backends. A change switches a running cluster for new connections, without restarting
   * agents or pods. Defaults to `Ebpf`. */
  serviceHandling?: ServiceHandling;
  /**
   * Whether `externalIPs` of Services are served. Users who may write a Service can take over an address with
   * them (CVE-2020-8554). Deny them, or limit them to `externalIPNetworks`, if not all users are trusted. A change needs no restart.
   * In force while `serviceHandling` is `Ebpf`. Defaults to `Allow`.
   */
  externalIPs?: ExternalIPs;
  /** Networks that `externalIPs` must be in to be served. Not with `Deny`. Defaults to all. */
  externalIPNetworks?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Where node ports answer, as kube-proxy's option of this name: `["primary"]`, the address by which each node is known, or
   * networks of either family; with networks, the nodes' loopback answers only if one of them holds 127.0.0.1, or ::1. A change needs no restart. Holds while
   * `serviceHandling` is `Ebpf`. Defaults to every address of the nodes.
   */
  nodePortAddresses?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Whether the agents are the load balancer of Services that name none (`loadBalancerClass`): they assign addresses from pools
   * with the use `LoadBalancer`, and one node at a time announces each address on its link. Such Services then have no other
   * addresses. Gives the agents the rights to write the statuses of those Services, and Leases. Defaults to false.
   */
  loadBalancer?: boolean;
  /**
   * Whose sockets are given a backend when they connect to a Service. A change is followed by new connections, without
   * restarting agents. Defaults to `All`.
   */
  socketTranslation?: SocketTranslation;
  /**
   * Whether packets between nodes are encrypted. With `WireGuard` every pool's packets are wrapped in VXLAN, pods' packets are 60 bytes smaller (80 between IPv6 nodes), and what cannot be encrypted is dropped: nodes need a kernel with WireGuard, and UDP 51820 between them. Agents may then write their public keys into their Nodes. Defaults to `None`.
   */
  encryption?: Encryption;
  /** Image of kube-proxy, for the modes that need it. Defaults to "registry.k8s.io/kube-proxy:v1.35.0". */
  kubeProxyImage?: pulumi.Input<string>;
  /**
   * Where pods' addresses come from; networks that do not overlap. Those of IPv6 need `serviceSubnetIpv6`; only such pools are for a
   * cluster whose nodes have IPv6 alone. Defaults to "default-ipv4-ippool" of 10.244.0.0/16 and, with `serviceSubnetIpv6`, "default-ipv6-ippool" of fd00:10:244::/56.
   */
  ipPools?: IpPoolSpec[];
  /**
   * Which addresses of the pools a node gives. With `HostLocal` the pools hold the networks that the controller manager gives nodes (`spec.podCIDRs`, `--cluster-cidr`), each at least as
   * large as a block. A change rolls the DaemonSet; running pods keep their addresses. Defaults to `Pools`.
   */
  ipam?: Ipam;
  /** IPv4 network of the Services' addresses, apart from every pool. Defaults to "10.96.0.0/12". */
  serviceSubnet?: pulumi.Input<string>;
  /** IPv6 network of the Services' addresses in a cluster of both families or of IPv6 alone, such as "fd00:10:96::/112"; apart from every pool. Defaults to none. */
  serviceSubnetIpv6?: pulumi.Input<string>;
  /** Whether the definition (CRD) of Kubernetes' ClusterNetworkPolicy is created. Set false if the cluster has it from another source:
   * it is never taken over. Defaults to true. */
  clusterNetworkPolicyDefinition?: boolean;
  /**
   * Registry, with its path, that holds the agent's image under this package's own version (`make image REGISTRY=...` puts it
   * there). Not together with `image`. Defaults to none: the image that nodes of a `LocalCluster` have.
   */
  imageRegistry?: pulumi.Input<string>;
  /** Image of the agent, if it is not that of this package's version. Defaults to "ebpf-dataplane:VERSION" of `imageRegistry`. */
  image?: pulumi.Input<string>;
  /** Content hash of the image; a new one replaces the agents node by node even if the tag is the same. Defaults to "". */
  imageDigest?: pulumi.Input<string>;
  /** Whether pods may send to the port of the nodes' tunnels (UDP 4789), for pods that have tunnels of their own. Nodes trust packets
   * that come from that port of a node. A change needs no restart. Defaults to false. */
  allowVxlanPacketsFromWorkloads?: boolean;
  /**
   * Whether, and how, agents keep a log of the flows on their nodes, in /var/log/ebpf-dataplane/flows: for `make flows`, and for
   * previews and proposals of policies. A change needs no restart. Defaults to none.
   */
  flowLog?: FlowLog;
  /**
   * Whether agents keep the latest flows of their nodes in memory, for `watch --since`, also without a `flowLog`, which keeps them in any case.
   * A change needs no restart. Not `Disabled` beside `flowLog`. Defaults to `Disabled`.
   */
  flowLogsLocalReporter?: FlowLogsLocalReporter;
  /** How many entries the kernel's tables have on each node, in place of the numbers that follow its memory. A change restarts the
   * agents; connections continue. */
  mapSizes?: MapSizes;
  /**
   * Ports at which nodes are reached whatever policies of host endpoints say, at most 1024, in place of the default list: SSH, DHCP, BGP,
   * etcd, the API server, the kubelet. An empty list leaves none. A change needs no restart.
   */
  failsafeInboundHostPorts?: FailsafePort[];
  /**
   * The same for ports that nodes reach; the default list has DNS besides. Agents always reach the API server. A change needs no restart.
   */
  failsafeOutboundHostPorts?: FailsafePort[];
  /** What happens to packets from pods to their own node. A change needs no restart. Defaults to `Accept`. */
  defaultEndpointToHostAction?: EndpointToHostAction;
  /** Where each agent serves its metrics, at port 9098. Defaults to `Loopback`. */
  metricsAddress?: MetricsAddress;
  /** How Prometheus and Grafana get the agents' metrics: Service, PodMonitor or ServiceMonitor, alerts, dashboard, TLS and a token.
   * Defaults to none. */
  monitoring?: Monitoring;
  /**
   * Whether connections to Services, their packets and bytes, and refusals are counted, and Services have metrics under their names. A change rolls the
   * DaemonSet. Defaults to none.
   */
  serviceMetrics?: ServiceMetrics;
  /** Least severe messages the agent logs. Defaults to `Info`. */
  logLevel?: LogLevel;
}
