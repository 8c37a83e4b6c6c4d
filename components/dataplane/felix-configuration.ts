import { type DataplaneSpec, ReturnMode, type ServiceHandling, SocketTranslation } from "./args.ts";
import { CALICO_API } from "./names.ts";

/** Whether the agents handle services, or leave them to the host's stack. Calico has no word for it, so it is no field. */
export const SERVICE_HANDLING_ANNOTATION = "ebpf-dataplane.io/service-handling";

/** Which externalIPs of Services agents serve; absent: all. */
const EXTERNAL_IPS_ANNOTATION = "ebpf-dataplane.io/external-ips";
const EXTERNAL_IP_NETWORKS_ANNOTATION = "ebpf-dataplane.io/external-ip-networks";
/** Whose sockets are given backends, where not everybody's are: Calico's words for it tell TCP from UDP as well. */
const SOCKET_TRANSLATION_ANNOTATION = "ebpf-dataplane.io/socket-translation";

/** `FelixConfiguration` has its own words for the return mode. */
const EXTERNAL_SERVICE_MODE = { [ReturnMode.Dsr]: "DSR", [ReturnMode.Tunnel]: "Tunnel" };

type Followed = Pick<
  DataplaneSpec,
  "externalIPs" | "externalIPNetworks" | "socketTranslation" | "allowVxlanPacketsFromWorkloads"
>;

/** What agents follow while they run, without a restart. */
export function felixConfiguration(returnMode: ReturnMode, handling: ServiceHandling, followed: Followed = {}) {
  const { externalIPs, externalIPNetworks, socketTranslation = SocketTranslation.All } = followed;
  const annotations = {
    [SERVICE_HANDLING_ANNOTATION]: handling,
    ...(externalIPs && { [EXTERNAL_IPS_ANNOTATION]: externalIPs }),
    ...(externalIPNetworks && { [EXTERNAL_IP_NETWORKS_ANNOTATION]: externalIPNetworks.join(",") }),
    ...(socketTranslation !== SocketTranslation.All && { [SOCKET_TRANSLATION_ANNOTATION]: socketTranslation }),
  };
  return {
    apiVersion: CALICO_API,
    kind: "FelixConfiguration",
    metadata: { name: "default", annotations },
    spec: {
      bpfExternalServiceMode: EXTERNAL_SERVICE_MODE[returnMode],
      ...(followed.allowVxlanPacketsFromWorkloads && { allowVXLANPacketsFromWorkloads: true }),
    },
  };
}
