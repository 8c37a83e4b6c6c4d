import { isEncrypted } from "../../model/encryption/encryption.ts";
import { defaultConfiguration, modeOf } from "../../model/mode/configuration.ts";
import { handlings, returnModes, translations } from "../../model/mode/mode.ts";
import type { FelixConfiguration } from "../../model/objects/calico.ts";
import {
  type Endpoint,
  EndpointFlag,
  FROM_WORKLOADS,
  HostStage,
  ReturnMode,
  ServiceHandling,
  type Settings,
  SettingsFlag,
  SocketTranslation,
} from "../kernel/layout.gen.ts";
import { NO_ADDRESS } from "../kernel/workload.ts";
import { type Contributions, type Entry, entriesOf, type MapContents } from "./desired.ts";
import type { HostMaps } from "./hosts.ts";
import { hostRevision } from "./revisions.ts";
import type { NodeFacts } from "./snapshot.ts";
import { hasTunnelClients } from "./tunnel-clients.ts";

/** What packets are asked about only where it is in use. */
interface Asked {
  readonly maglev: boolean;
  readonly bandwidths: Contributions<unknown, unknown>;
  readonly hasEgress: boolean;
}

/** The one entry of the map `settings`. */
export function compileSettings(
  facts: NodeFacts,
  configurations: readonly FelixConfiguration[],
  revision: number,
  { maglev, bandwidths, hasEgress }: Asked,
  judged: HostMaps & Pick<MapContents, "endpoints">,
): Contributions<number, Settings> {
  const configuration = defaultConfiguration(configurations);
  const mode = modeOf(configuration);
  const value: Settings = {
    node: facts.address,
    second: facts.addressIpv6 === facts.address ? NO_ADDRESS : (facts.addressIpv6 ?? NO_ADDRESS),
    tunnelIfindex: facts.tunnelIfindex,
    uplinkIfindex: facts.uplinkIfindex,
    returnMode: ReturnMode[returnModes[mode.returnMode].bpf],
    policyRevision: revision,
    serviceHandling: ServiceHandling[handlings[mode.serviceHandling].bpf],
    socketTranslation: SocketTranslation[translations[mode.socketTranslation].bpf],
    flags:
      (configuration?.spec.allowVXLANPacketsFromWorkloads ? SettingsFlag.ALLOW_VXLAN_FROM_WORKLOADS : 0) |
      (hasTunnelClients(configuration) ? SettingsFlag.TUNNEL_CLIENTS : 0) |
      (maglev ? SettingsFlag.MAGLEV : 0) |
      (hasEgress ? SettingsFlag.EGRESS : 0) |
      (bandwidths.length > 0 ? SettingsFlag.BANDWIDTH : 0) |
      (isEncrypted(configuration) ? SettingsFlag.ENCRYPTION : 0) |
      (facts.countsServices ? SettingsFlag.SERVICE_COUNTS : 0) |
      hostFlags(judged),
    hostRevision: hostRevision(judged),
    hostNamespace: BigInt(facts.namespaceCookie ?? 0),
    wireguardIfindex: facts.wireguardIfindex ?? 0,
    takingOverUntil: 0,
  };
  return [{ owner: "settings", entries: [{ key: 0, value }] }];
}

/** Without any, packets of the node cost no lookup. */
function hostFlags({ hostEndpoints, endpoints }: HostMaps & Pick<MapContents, "endpoints">): number {
  const keys = entriesOf(hostEndpoints).map(({ key }) => key);
  const isAsked = ({ value }: Entry<string, Endpoint>) => (value.flags & EndpointFlag.ASKED_TO_NODE) !== 0;
  const fromWorkloads = keys.some((key) => key.interface === FROM_WORKLOADS) || entriesOf(endpoints).some(isAsked);
  return (
    (keys.length > 0 ? SettingsFlag.HOST_POLICIES : 0) |
    (fromWorkloads ? SettingsFlag.WORKLOADS_TO_HOST : 0) |
    (keys.some(({ stage }) => stage === HostStage.UNTRACKED) ? SettingsFlag.UNTRACKED : 0)
  );
}
