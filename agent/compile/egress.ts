import { type Address, type Cidr, type Family, parseCidr } from "../../model/address/address.ts";
import type { EgressGroup, EgressPlan, EgressWay } from "../../model/egress/plan.ts";
import { Latest } from "../../model/memo.ts";
import { named } from "../../model/named.ts";
import { EGRESS_GATEWAYS, EgressHow, type EgressKey, type EgressWay as Way } from "../kernel/layout.gen.ts";
import { NO_ADDRESS } from "../kernel/workload.ts";
import { coversMappedIPv4, prefixOf } from "./addresses.ts";
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
          entries: waysOfBlocks(ways).map(({ block, way }) => entryOf(number, block, way)),
        })),
        ...(gateways.length > 0 ? [{ owner: "gateways", entries: gateways.map(gatewayEntry) }] : []),
      ],
    };
  }
}

const IPV4 = parseCidr("0.0.0.0/0");

/** IPv4 is within ::/0 in the map: it gets a line of its own, if it has none, that says nothing. */
function waysOfBlocks(ways: EgressGroup["ways"]): { block: Cidr; way: EgressWay }[] {
  const written = ways.map(({ destination, way }) => ({ block: parseCidr(destination), way }));
  const isTaken = written.some(({ block }) => coversMappedIPv4(block));
  const isWritten = written.some(({ block }) => block.text === IPV4.text);
  return isTaken && !isWritten ? [{ block: IPV4, way: { how: "plain" } }, ...written] : written;
}

function entryOf(group: number, block: Cidr, way: EgressWay): Entry<EgressKey, Way> {
  const { prefixLength, address } = prefixOf(block);
  return {
    key: { prefixLength: 32 + prefixLength, group, destination: address },
    value: wayOf(way, block.family),
  };
}

function wayOf(way: EgressWay, family: Family): Way {
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
