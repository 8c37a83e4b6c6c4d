import { type Address, type Family, familyOf } from "../address/address.ts";
import { Memo } from "../memo.ts";
import type { Service } from "../objects/core.ts";
import { objectName } from "../objects/metadata.ts";
import { nameOfSeveral } from "../service/frontend.ts";
import { frontends } from "../service/frontends.ts";
import type { WrittenTo } from "./judged.ts";

const byName = new Memo<readonly Service[], ReadonlyMap<string, Service>>();

/** A Service's port by its name in a log, "shop/web:http". Asked for every flow, at every node that may have it: a list is indexed once. */
export function portNamed(name: string, services: readonly Service[]) {
  const [object = "", port] = name.split(":");
  const known = byName.get(services, [], () => firstByName(services));
  const service = known.get(object);
  const ports = service?.spec.ports.filter((one) => (one.name || undefined) === port) ?? [];
  return service && { service, ports };
}

function firstByName(services: readonly Service[]): ReadonlyMap<string, Service> {
  return new Map(services.toReversed().map((one) => [objectName(one), one]));
}

/** What a client outside may have used of a Service's port at a node.
 * @param own the node's addresses */
export function writtenTo(
  name: string,
  family: Family | undefined,
  services: readonly Service[],
  own: readonly Address[],
): WrittenTo[] {
  const found = portNamed(name, services);
  if (!found) return [];
  const rules = found.ports
    .flatMap((one) => frontends(found.service, one))
    .filter(({ claim }) => claim !== "cluster IP");
  return rules
    .flatMap(({ key: { address, port: number } }) =>
      (nameOfSeveral(address) ? own : [address]).map((one) => ({ address: one, port: number })),
    )
    .filter(({ address }) => !family || familyOf(address) === family);
}
