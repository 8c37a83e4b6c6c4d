import { type Address, type Family, familyOf } from "../address/address.ts";
import type { Service } from "../objects/core.ts";
import { objectName } from "../objects/metadata.ts";
import { nameOfSeveral } from "../service/frontend.ts";
import { frontends } from "../service/frontends.ts";
import type { WrittenTo } from "./judged.ts";

/** A Service's port by its name in a log, "shop/web:http". */
export function portNamed(name: string, services: readonly Service[]) {
  const [object = "", port] = name.split(":");
  const service = services.find((one) => objectName(one) === object);
  const ports = service?.spec.ports.filter((one) => (one.name || undefined) === port) ?? [];
  return service && { service, ports };
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
