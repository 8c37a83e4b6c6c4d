import { type Address, canonicalAddress } from "../../../model/address/address.ts";
import { poolsInForce } from "../../../model/encryption/encryption.ts";
import type { NodeHosts } from "../../../model/flow/host-stages.ts";
import type { IntervalRecord } from "../../../model/flow/record.ts";
import { defaultConfiguration } from "../../../model/mode/configuration.ts";
import type { FelixConfiguration, IpPool } from "../../../model/objects/calico.ts";
import type { Node } from "../../../model/objects/core.ts";
import { failsafesOf } from "../../../model/policy/failsafes.ts";
import { encapsulationOf, wrapsOf } from "../../../model/pool/encapsulation.ts";
import type { JudgedNode } from "../../compile/desired.ts";

/** What decides about the node's own flows. */
export function nodeHosts(
  { directory, facts }: JudgedNode,
  configurations: readonly FelixConfiguration[],
  pools: readonly IpPool[],
): NodeHosts {
  const configuration = defaultConfiguration(configurations);
  return {
    directory,
    uplinks: facts.uplinks ?? [],
    failsafes: failsafesOf(configuration, facts),
    toHost: configuration?.spec.defaultEndpointToHostAction ?? "Accept",
    wraps: wrapsOf(poolsInForce(pools, configuration).map((pool) => encapsulationOf(pool).mode)),
    pools: pools.map(({ spec }) => spec.cidr),
  };
}

/** The node's own addresses, whatever its Node object says. */
export function ownAddresses({ facts }: Pick<JudgedNode, "facts">): Address[] {
  return [facts.address, ...(facts.addressIpv6 ? [facts.addressIpv6] : []), ...facts.localAddresses];
}

/** The most characters of labels and interfaces that an interval records. */
const MOST = 16_384;

/** What a log records about its node, so that host endpoints can be judged without the cluster. undefined: not known yet. */
export function nodeInLog(here: JudgedNode | undefined, nodes: readonly Node[]): IntervalRecord["host"] {
  if (!here) return undefined;
  const { nodeName, uplinks = [], apiServer } = here.facts;
  const object = nodes.find(({ metadata }) => metadata.name === nodeName);
  const ofObject = object?.status.addresses.flatMap(({ address }) => canonicalAddress(address) ?? []) ?? [];
  const host = {
    addresses: [...new Set([...ownAddresses(here), ...ofObject])],
    labels: object?.metadata.labels ?? {},
    uplinks: uplinks.map(({ name, addresses }) => ({ name, addresses: [...addresses] })),
    ...(apiServer && { apiServer: { ...apiServer } }),
  };
  return JSON.stringify(host).length > MOST ? undefined : host;
}
