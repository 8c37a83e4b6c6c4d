import type * as pulumi from "@pulumi/pulumi";
import { annotations as named, returnModes } from "../../model/mode/mode.ts";
import { CALICO_API } from "../../model/objects/kinds.ts";
import { type DataplaneSpec, type MapSizes, type ReturnMode, type ServiceHandling, SocketTranslation } from "./args.ts";
import { Encryption } from "./encryption-args.ts";
import type { FlowLog } from "./flow-log-args.ts";
import { Xdp } from "./uplinks.ts";

type Followed<Text> = Pick<
  DataplaneSpec,
  | "dsrOptOutNetworks"
  | "externalIPs"
  | "socketTranslation"
  | "encryption"
  | "xdp"
  | "allowVxlanPacketsFromWorkloads"
  | "failsafeInboundHostPorts"
  | "failsafeOutboundHostPorts"
  | "defaultEndpointToHostAction"
  | "mapSizes"
  | "flowLogsLocalReporter"
> & {
  /** Networks, with commas between them. */
  externalIPNetworks?: Text;
  /** The same, or "primary". */
  nodePortAddresses?: Text;
  flowLog?: Omit<FlowLog, "intervalSeconds"> & {
    /** With its unit. */
    interval?: Text;
  };
};

/** What agents follow while they run; for other sizes of maps they start again. */
export function felixConfiguration<Text extends pulumi.Input<string> = string>(
  returnMode: ReturnMode,
  handling: ServiceHandling,
  followed: Followed<Text> = {},
) {
  const {
    externalIPs,
    externalIPNetworks,
    nodePortAddresses,
    socketTranslation = SocketTranslation.All,
    xdp = Xdp.Disabled,
  } = followed;
  const annotations = {
    [named.serviceHandling]: handling,
    ...(externalIPs && { [named.externalIps]: externalIPs }),
    ...(externalIPNetworks && { [named.externalIpNetworks]: externalIPNetworks }),
    ...(nodePortAddresses && { [named.nodePortAddresses]: nodePortAddresses }),
    ...(socketTranslation !== SocketTranslation.All && { [named.socketTranslation]: socketTranslation }),
    ...(xdp !== Xdp.Disabled && { [named.xdp]: xdp }),
  };
  return {
    apiVersion: CALICO_API,
    kind: "FelixConfiguration",
    metadata: { name: "default", annotations },
    spec: {
      bpfExternalServiceMode: returnModes[returnMode].calico,
      ...(followed.dsrOptOutNetworks && { bpfDSROptoutCIDRs: followed.dsrOptOutNetworks }),
      ...(followed.encryption === Encryption.WireGuard && { wireguardEnabled: true }),
      ...(followed.allowVxlanPacketsFromWorkloads && { allowVXLANPacketsFromWorkloads: true }),
      ...(followed.failsafeInboundHostPorts && { failsafeInboundHostPorts: followed.failsafeInboundHostPorts }),
      ...(followed.failsafeOutboundHostPorts && { failsafeOutboundHostPorts: followed.failsafeOutboundHostPorts }),
      ...(followed.defaultEndpointToHostAction && {
        defaultEndpointToHostAction: followed.defaultEndpointToHostAction,
      }),
      ...(followed.flowLog && flowLogFields(followed.flowLog)),
      ...(followed.flowLogsLocalReporter && { flowLogsLocalReporter: followed.flowLogsLocalReporter }),
      ...(followed.mapSizes && mapSizeFields(followed.mapSizes)),
    },
  };
}

function flowLogFields<Text>({ interval, maxFiles, maxFileSizeMb }: NonNullable<Followed<Text>["flowLog"]>) {
  return {
    flowLogsFileEnabled: true,
    ...(interval !== undefined && { flowLogsFlushInterval: interval }),
    ...(maxFiles !== undefined && { flowLogsFileMaxFiles: maxFiles }),
    ...(maxFileSizeMb !== undefined && { flowLogsFileMaxFileSizeMB: maxFileSizeMb }),
  };
}

function mapSizeFields({ connections, affinities, frontends, endpoints }: MapSizes) {
  return {
    ...(connections !== undefined && { bpfMapSizeConntrack: connections }),
    ...(affinities !== undefined && { bpfMapSizeNATAffinity: affinities }),
    ...(frontends !== undefined && { bpfMapSizeNATFrontend: frontends }),
    ...(endpoints !== undefined && { bpfMapSizeNATBackend: endpoints }),
  };
}
