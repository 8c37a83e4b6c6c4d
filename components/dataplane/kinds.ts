import { FLOW_LOG_DEFAULTS } from "../../model/flow/settings.ts";
import { MAP_SIZE_LIMITS, type MapSizeField } from "../../model/mode/map-sizes.ts";
import { calicoReturnModes } from "../../model/mode/mode.ts";
import { kinds } from "../../model/objects/kinds.ts";
import { BGP_KINDS } from "./bgp-kinds.ts";
import { CLUSTER_NETWORK_POLICY } from "./cluster-policy-kind.ts";
import type { KindDefinition } from "./definition.ts";
import { EGRESS_GATEWAY } from "./egress-kind.ts";
import { IP_POOL } from "./ip-pool-kind.ts";
import { CIDR, IPAM_BLOCK } from "./ipam-block-kind.ts";
import { POLICY_KINDS } from "./policy-kinds.ts";
import { choice } from "./rule-schema.ts";

const IP_RESERVATION: KindDefinition = {
  ...kinds.ipReservations,
  columns: {},
  spec: {
    type: "object",
    properties: {
      reservedCIDRs: {
        type: "array",
        maxItems: 4096,
        items: { type: "string", maxLength: 43 },
        description: "Addresses and networks of which pods get none that do not ask for it.",
      },
    },
  },
};

const entries = (field: MapSizeField, description: string) => ({
  [field]: {
    type: "integer",
    minimum: MAP_SIZE_LIMITS[field].least,
    maximum: MAP_SIZE_LIMITS[field].most,
    description: `${description} Another number makes the agents start again; connections continue.`,
  },
});

const mapSizes = {
  ...entries("bpfMapSizeConntrack", "Entries of connections; by default as many as the node's memory suggests."),
  ...entries("bpfMapSizeNATAffinity", "Clients with session affinity; by default a quarter of that."),
  ...entries("bpfMapSizeNATFrontend", "Addresses times ports of Services; by default 131072."),
  ...entries("bpfMapSizeNATBackend", "Endpoints of Services over all ports; by default 524288."),
};

/** Ports that no policy closes (failsafe ports). */
const FAILSAFES = {
  type: "array",
  maxItems: 1024,
  items: {
    type: "object",
    required: ["protocol", "port"],
    properties: {
      protocol: {
        type: "string",
        pattern: "^([Tt][Cc][Pp]|[Uu][Dd][Pp]|[Ss][Cc][Tt][Pp])$",
        description: "TCP, UDP or SCTP.",
      },
      port: { type: "integer", minimum: 0, maximum: 65535, description: "Destination port." },
      net: { ...CIDR, description: "Network of the other ends for which the port stays open; without it all." },
    },
  },
};

const FELIX_CONFIGURATION: KindDefinition = {
  ...kinds.felixConfigurations,
  columns: {
    "Return mode": ".spec.bpfExternalServiceMode",
    Services: ".metadata.annotations.ebpf-dataplane\\.io/service-handling",
  },
  onlyName: "default",
  spec: {
    type: "object",
    properties: {
      bpfExternalServiceMode: {
        type: "string",
        enum: [...calicoReturnModes],
        default: "Tunnel",
        description:
          "How replies of services reached from outside return: straight to the client, or through the entry node.",
      },
      bpfDSROptoutCIDRs: {
        type: "array",
        maxItems: 4096,
        items: { type: "string", maxLength: 43 },
        description: "Networks of clients whose replies return through the entry node in every mode.",
      },
      serviceLoopPrevention: {
        ...choice("Drop", "Disabled"),
        description: "Of packets to an address of an announced network that no Service has; by default Drop.",
      },
      allowVXLANPacketsFromWorkloads: {
        type: "boolean",
        default: false,
        description: "Whether workloads may send to the port of the nodes' tunnels (UDP 4789).",
      },
      wireguardEnabled: {
        type: "boolean",
        default: false,
        description:
          "Whether what is wrapped between nodes is encrypted, by the kernel's WireGuard. Then every pool's packets are wrapped.",
      },
      failsafeInboundHostPorts: {
        ...FAILSAFES,
        description:
          "Ports at which nodes are reached whatever policies of host endpoints say, in place of the default list.",
      },
      failsafeOutboundHostPorts: {
        ...FAILSAFES,
        description: "Ports that nodes reach whatever policies of host endpoints say, in place of the default list.",
      },
      defaultEndpointToHostAction: {
        type: "string",
        enum: ["Accept", "Drop", "Return"],
        default: "Accept",
        description: "What becomes of packets from workloads to their own node, after their egress policies.",
      },
      flowLogsFileEnabled: {
        type: "boolean",
        default: false,
        description: "Whether agents keep a log of the flows on their nodes, in /var/log/ebpf-dataplane/flows.",
      },
      flowLogsFlushInterval: {
        type: "string",
        pattern: "^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$",
        maxLength: 24,
        default: FLOW_LOG_DEFAULTS.flushInterval,
        description: "How often the flow log is written: 1s to 1h. Flows are added up over this time.",
      },
      flowLogsLocalReporter: {
        type: "string",
        enum: ["Enabled", "Disabled"],
        default: "Disabled",
        description:
          "Whether agents keep the latest flows in memory, which `watch --since` shows. With a flow log they do in any case.",
      },
      flowLogsFileMaxFiles: {
        type: "integer",
        minimum: 1,
        maximum: 1000,
        default: FLOW_LOG_DEFAULTS.maxFiles,
        description: "Files of the flow log that are kept besides the current one.",
      },
      flowLogsFileMaxFileSizeMB: {
        type: "integer",
        minimum: 1,
        maximum: 10000,
        default: FLOW_LOG_DEFAULTS.maxFileSizeMB,
        description: "Size at which a new file begins, in MB.",
      },
      ...mapSizes,
      bpfKubeProxyIptablesCleanupEnabled: {
        type: "boolean",
        default: true,
        description:
          "Whether agents that handle services remove the rules that a kube-proxy left (iptables and nftables).",
      },
    },
  },
};

/** Every kind the agent watches that Kubernetes does not have. */
export const KINDS = [
  IP_POOL,
  IP_RESERVATION,
  FELIX_CONFIGURATION,
  IPAM_BLOCK,
  EGRESS_GATEWAY,
  ...POLICY_KINDS,
  ...BGP_KINDS,
  CLUSTER_NETWORK_POLICY,
];
