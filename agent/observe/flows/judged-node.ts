import { type Family, familyOf } from "../../../model/address/address.ts";
import { poolsInForce } from "../../../model/encryption/encryption.ts";
import type { NodeHosts } from "../../../model/flow/host-stages.ts";
import type { WrittenTo } from "../../../model/flow/judged.ts";
import { defaultConfiguration } from "../../../model/mode/configuration.ts";
import type { FelixConfiguration, IpPool } from "../../../model/objects/calico.ts";
import type { Service } from "../../../model/objects/core.ts";
import { objectName } from "../../../model/objects/metadata.ts";
import { failsafesOf } from "../../../model/policy/failsafes.ts";
import { encapsulationOf } from "../../../model/pool/encapsulation.ts";
import { nameOfSeveral } from "../../../model/service/frontend.ts";
import { frontends } from "../../../model/service/frontends.ts";
import type { JudgedNode } from "../../compile/desired.ts";

/** What decides about the node's own flows. */
export function nodeHosts(
  { directory, facts }: JudgedNode,
  configurations: readonly FelixConfiguration[],
  pools: readonly IpPool[],
): NodeHosts {
  const configuration = defaultConfiguration(configurations);
  const modes = new Set(poolsInForce(pools, configuration).map((pool) => encapsulationOf(pool).mode));
  const [mode] = modes;
  return {
    directory,
    uplinks: facts.uplinks ?? [],
    failsafes: failsafesOf(configuration, facts),
    toHost: configuration?.spec.defaultEndpointToHostAction ?? "Accept",
    wraps: modes.size !== 1 || mode === "CrossSubnet" ? "sometimes" : mode === "Always" ? "always" : "never",
    pools: pools.map(({ spec }) => spec.cidr),
  };
}

/** What a client outside may have used, of a Service's port: "shop/web:http". */
export function writtenTo(
  name: string,
  family: Family | undefined,
  services: readonly Service[],
  { facts }: Pick<JudgedNode, "facts">,
): WrittenTo[] {
  const [object = "", port] = name.split(":");
  const service = services.find((one) => objectName(one) === object);
  const own = [facts.address, ...(facts.addressIpv6 ? [facts.addressIpv6] : []), ...facts.localAddresses];
  if (!service) return [];
  const ports = service.spec.ports.filter((one) => (one.name || undefined) === port);
  const rules = ports.flatMap((one) => frontends(service, one)).filter(({ claim }) => claim !== "cluster IP");
  return rules
    .flatMap(({ key: { address, port: number } }) =>
      (nameOfSeveral(address) ? own : [address]).map((one) => ({ address: one, port: number })),
    )
    .filter(({ address }) => !family || familyOf(address) === family);
}
