import type { Address } from "../../model/address/address.ts";
import { hash32 } from "../../model/hash.ts";
import { type FelixConfiguration, handlesServices, socketTranslationOf } from "../../model/objects/calico.ts";
import {
  type Endpoint,
  type Location,
  type Prefix,
  ReturnMode,
  ServiceHandling,
  type Settings,
  SettingsFlag,
  SocketTranslation,
} from "../kernel/layout.gen.ts";
import type { Contributions, Entry, KubeProxy, Problem } from "./desired.ts";
import { keyText } from "./key.ts";
import type { NodeFacts } from "./snapshot.ts";

/** The one entry of the map `settings`. */
export function compileSettings(
  facts: NodeFacts,
  configurations: readonly FelixConfiguration[],
  revision: number,
): Contributions<number, Settings> {
  const configuration = defaultConfiguration(configurations);
  const value: Settings = {
    node: facts.address,
    tunnelIfindex: facts.tunnelIfindex,
    uplinkIfindex: facts.uplinkIfindex,
    returnMode: configuration?.spec.bpfExternalServiceMode === "DSR" ? ReturnMode.DIRECT : ReturnMode.TUNNEL,
    policyRevision: revision,
    serviceHandling:
      kubeProxyOf(configurations) === "beside us" ? ServiceHandling.LEFT_TO_HOST : ServiceHandling.TRANSLATED,
    socketTranslation:
      configuration && socketTranslationOf(configuration) === "HostOnly"
        ? SocketTranslation.HOST_ONLY
        : SocketTranslation.ALL,
    flags: configuration?.spec.allowVXLANPacketsFromWorkloads ? SettingsFlag.ALLOW_VXLAN_FROM_WORKLOADS : 0,
    hostNamespace: BigInt(facts.namespaceCookie ?? 0),
  };
  return new Map([["settings", [{ id: keyText.settings(0), key: 0, value }]]]);
}

/** What kube-proxy is to this node. */
export function kubeProxyOf(configurations: readonly FelixConfiguration[]): KubeProxy {
  const configuration = defaultConfiguration(configurations);
  if (configuration && !handlesServices(configuration)) return "beside us";
  return (configuration?.spec.bpfKubeProxyIptablesCleanupEnabled ?? true) ? "to be cleaned up" : "left alone";
}

export function defaultConfiguration(configurations: readonly FelixConfiguration[]): FelixConfiguration | undefined {
  return configurations.find(({ metadata }) => metadata.name === "default");
}

export function settingsProblems(configurations: readonly FelixConfiguration[]): Problem[] {
  return configurations
    .filter(({ metadata }) => metadata.name !== "default")
    .map(({ metadata }) => ({
      kind: "FelixConfiguration",
      name: metadata.name,
      path: "metadata.name",
      message: 'only "default" is read; settings of single nodes are not supported.',
    }));
}

// Hashes of entries that did not change, and sums of maps that did not, are not computed again.
const sums = new WeakMap<object, number>();
const hashes = new WeakMap<object, number>();

/** A number that changes with every endpoint's policy and every address's identity, so that connections are judged
 * again. Policies and identities are numbered by their content, so the numbers are all there is to look at; a sum, so
 * that the order does not matter. */
export function policyRevision(
  endpoints: Contributions<Address, Endpoint>,
  locations: Contributions<Prefix, Location>,
): number {
  let sum = 0;
  for (const entries of endpoints.values()) {
    for (const { id, value } of entries) sum = (sum + hash32(`${id} ${value.policy} ${value.flags}`)) >>> 0;
  }
  return (sum + sumOf(locations)) >>> 0;
}

function sumOf(locations: Contributions<Prefix, Location>): number {
  let sum = sums.get(locations);
  if (sum === undefined) {
    sum = 0;
    for (const entries of locations.values()) {
      for (const entry of entries) if (entry.value.identity !== 0) sum = (sum + hashOf(entry)) >>> 0;
    }
    sums.set(locations, sum);
  }
  return sum;
}

function hashOf(entry: Entry<Prefix, Location>): number {
  let hash = hashes.get(entry);
  if (hash === undefined) {
    hash = hash32(`${entry.id} ${entry.value.identity}`);
    hashes.set(entry, hash);
  }
  return hash;
}
