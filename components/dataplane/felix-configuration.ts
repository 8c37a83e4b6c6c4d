import { ReturnMode, type ServiceHandling } from "../dataplane-args";
import { CALICO_API } from "./names";

/** Whether the agents handle services, or leave them to the host's stack. Calico has no word for it, so it is no field. */
export const SERVICE_HANDLING_ANNOTATION = "ebpf-dataplane.io/service-handling";

/** `FelixConfiguration` has its own words for the return mode. */
const EXTERNAL_SERVICE_MODE = { [ReturnMode.Dsr]: "DSR", [ReturnMode.Tunnel]: "Tunnel" };

/** What agents follow while they run, without a restart. */
export function felixConfiguration(returnMode: ReturnMode, handling: ServiceHandling) {
  return {
    apiVersion: CALICO_API,
    kind: "FelixConfiguration",
    metadata: { name: "default", annotations: { [SERVICE_HANDLING_ANNOTATION]: handling } },
    spec: { bpfExternalServiceMode: EXTERNAL_SERVICE_MODE[returnMode] },
  };
}
