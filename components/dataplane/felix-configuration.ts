import { annotations as named, returnModes } from "../../model/mode/mode.ts";
import { CALICO_API } from "../../model/objects/kinds.ts";
import { type DataplaneSpec, type ReturnMode, type ServiceHandling, SocketTranslation } from "./args.ts";

type Followed = Pick<
  DataplaneSpec,
  "externalIPs" | "externalIPNetworks" | "socketTranslation" | "allowVxlanPacketsFromWorkloads"
>;

/** What agents follow while they run, without a restart. */
export function felixConfiguration(returnMode: ReturnMode, handling: ServiceHandling, followed: Followed = {}) {
  const { externalIPs, externalIPNetworks, socketTranslation = SocketTranslation.All } = followed;
  const annotations = {
    [named.serviceHandling]: handling,
    ...(externalIPs && { [named.externalIps]: externalIPs }),
    ...(externalIPNetworks && { [named.externalIpNetworks]: externalIPNetworks.join(",") }),
    ...(socketTranslation !== SocketTranslation.All && { [named.socketTranslation]: socketTranslation }),
  };
  return {
    apiVersion: CALICO_API,
    kind: "FelixConfiguration",
    metadata: { name: "default", annotations },
    spec: {
      bpfExternalServiceMode: returnModes[returnMode].calico,
      ...(followed.allowVxlanPacketsFromWorkloads && { allowVXLANPacketsFromWorkloads: true }),
    },
  };
}
