import { type DataplaneArgs, ReturnMode, type ServiceHandling } from "../dataplane-args";
import { CALICO_API } from "./names";

/** Whether the agents handle services, or leave them to the host's stack. Calico has no word for it, so it is no field. */
export const SERVICE_HANDLING_ANNOTATION = "ebpf-dataplane.io/service-handling";

/** Which externalIPs of Services agents serve; absent: all. */
const EXTERNAL_IPS_ANNOTATION = "ebpf-dataplane.io/external-ips";
const EXTERNAL_IP_NETWORKS_ANNOTATION = "ebpf-dataplane.io/external-ip-networks";

/** `FelixConfiguration` has its own words for the return mode. */
const EXTERNAL_SERVICE_MODE = { [ReturnMode.Dsr]: "DSR", [ReturnMode.Tunnel]: "Tunnel" };

/** What agents follow while they run, without a restart. */
export function felixConfiguration(
  returnMode: ReturnMode,
  handling: ServiceHandling,
  { externalIPs, externalIPNetworks }: Pick<DataplaneArgs, "externalIPs" | "externalIPNetworks"> = {},
) {
  const annotations = {
    [SERVICE_HANDLING_ANNOTATION]: handling,
    ...(externalIPs && { [EXTERNAL_IPS_ANNOTATION]: externalIPs }),
    ...(externalIPNetworks && { [EXTERNAL_IP_NETWORKS_ANNOTATION]: externalIPNetworks.join(",") }),
  };
  return {
    apiVersion: CALICO_API,
    kind: "FelixConfiguration",
    metadata: { name: "default", annotations },
    spec: { bpfExternalServiceMode: EXTERNAL_SERVICE_MODE[returnMode] },
  };
}
