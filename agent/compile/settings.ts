import type { Address } from "../../model/address/address.ts";
import { hash32 } from "../../model/hash.ts";
import { defaultConfiguration, modeOf } from "../../model/mode/configuration.ts";
import { handlings, returnModes, translations } from "../../model/mode/mode.ts";
import type { FelixConfiguration } from "../../model/objects/calico.ts";
import {
  type Endpoint,
  type Location,
  POLICY_REVISION_UNSETTLED,
  type Prefix,
  ReturnMode,
  ServiceHandling,
  type Settings,
  SettingsFlag,
  SocketTranslation,
} from "../kernel/layout.gen.ts";
import type { Contributions, Entry } from "./desired.ts";
import { keyText } from "./key.ts";
import type { NodeFacts } from "./snapshot.ts";

/** The one entry of the map `settings`. */
export function compileSettings(
  facts: NodeFacts,
  configurations: readonly FelixConfiguration[],
  revision: number,
): Contributions<number, Settings> {
  const configuration = defaultConfiguration(configurations);
  const mode = modeOf(configuration);
  const value: Settings = {
    node: facts.address,
    tunnelIfindex: facts.tunnelIfindex,
    uplinkIfindex: facts.uplinkIfindex,
    returnMode: ReturnMode[returnModes[mode.returnMode].bpf],
    policyRevision: revision,
    serviceHandling: ServiceHandling[handlings[mode.serviceHandling].bpf],
    socketTranslation: SocketTranslation[translations[mode.socketTranslation].bpf],
    flags: configuration?.spec.allowVXLANPacketsFromWorkloads ? SettingsFlag.ALLOW_VXLAN_FROM_WORKLOADS : 0,
    hostNamespace: BigInt(facts.namespaceCookie ?? 0),
  };
  return new Map([["settings", [{ id: keyText.settings(0), key: 0, value }]]]);
}

// Hashes of entries that did not change, and sums of maps that did not, are not computed again.
const sums = new WeakMap<object, number>();
const hashes = new WeakMap<object, number>();

/** A number that changes with every endpoint's policy and every address's identity, so that connections are judged
 * again. Policies and identities are numbered by their content, so only the numbers are compared; a sum, so
 * that the order does not matter. Never has the bit of revisions of incomplete writes (reconcile/write-order.ts). */
export function policyRevision(
  endpoints: Contributions<Address, Endpoint>,
  locations: Contributions<Prefix, Location>,
): number {
  let sum = 0;
  for (const entries of endpoints.values()) {
    for (const { id, value } of entries) sum = (sum + hash32(`${id} ${value.policy} ${value.flags}`)) >>> 0;
  }
  return ((sum + sumOf(locations)) & ~POLICY_REVISION_UNSETTLED) >>> 0;
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
