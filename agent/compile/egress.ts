import { type Address, familyOf, parseCidr } from "../../model/address/address.ts";
import type { EgressGroup, EgressPlan, EgressWay } from "../../model/egress/plan.ts";
import { Latest } from "../../model/memo.ts";
import { named } from "../../model/named.ts";
import { EGRESS_GATEWAYS, EgressHow, type EgressKey, type EgressWay as Way } from "../kernel/layout.gen.ts";
import { NO_ADDRESS } from "../kernel/workload.ts";
import { prefixOf } from "./addresses.ts";
import type { Entry, MapContents } from "./desired.ts";
import { idOf, Numbering } from "./ids.ts";

export type EgressMaps = Pick<MapContents, "egressGroups" | "egressWays">;

/** By which node's address pods leave the cluster, where that is not their own node's. */
export class EgressCompiler {
  readonly #numbers = new Numbering<EgressGroup>(({ owner }) => [named(owner)]);
  readonly #latest = new Latest<EgressMaps>();

  of(plan: EgressPlan): EgressMaps {
    return this.#latest.get([plan], () => this.#compile(plan));
  }

  #compile({ groups, gateways }: EgressPlan): EgressMaps {
    const displaced = this.#numbers.assign(groups);
    const numbered = groups.map((group) => ({ ...group, number: idOf(displaced, named(group.owner)) }));
    return {
      egressGroups: numbered.map(({ owner, members, number }) => ({
        owner,
        entries: members.map((address) => ({ key: address, value: number })),
      })),
      egressWays: [
        ...numbered.map(({ owner, ways, number }) => ({
          owner,
          entries: ways.map(({ destination, way }) => entryOf(number, destination, way)),
        })),
        ...(gateways.length > 0 ? [{ owner: "gateways", entries: gateways.map(gatewayEntry) }] : []),
      ],
    };
  }
}

function entryOf(group: number, destination: string, way: EgressWay): Entry<EgressKey, Way> {
  const cidr = parseCidr(destination);
  const { prefixLength, address } = prefixOf(cidr);
  return {
    key: { prefixLength: 32 + prefixLength, group, destination: address },
    value: wayOf(way, familyOf(address) === "IPv6" ? "IPv6" : "IPv4"),
  };
}

function wayOf(way: EgressWay, family: "IPv4" | "IPv6"): Way {
  if (way.how === "here") return { how: EgressHow.HERE, address: way.addresses[family] ?? NO_ADDRESS };
  if (way.how === "node") return { how: EgressHow.NODE, address: way.node };
  return { how: way.how === "plain" ? EgressHow.PLAIN : EgressHow.NONE, address: NO_ADDRESS };
}

function gatewayEntry(node: Address): Entry<EgressKey, Way> {
  return {
    key: { prefixLength: 160, group: EGRESS_GATEWAYS, destination: node },
    value: { how: EgressHow.NODE, address: node },
  };
}
