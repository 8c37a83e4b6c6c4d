import { familyOf, useOf } from "../../model/address/address.ts";
import type { ApiServerAddress } from "../machine/machine.ts";
import { at, type InputPlace, refuse } from "../refusal/refusal.ts";
import { contains, isIpv6 } from "../rules/addresses.ts";
import { requireWhole } from "./choices.ts";

const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/i;
/** Names that the cluster's own DNS gives the API server's Service. */
const SERVICE = /^kubernetes(\.default(\.svc(\..+)?)?)?$/i;

/** Refuses anything but an address or a DNS name: no scheme, no port, no path. */
export function requireHost(place: InputPlace, host: string): string {
  const allowed = "an address or a DNS name, without scheme, port and path";
  if (familyOf(host) !== undefined) {
    // No machine can have such an address, or one needs the interface beside it.
    const range = useOf(host);
    return ["unspecified", "broadcast", "multicast", "ipv4Compatible", ...(isIpv6(host) ? ["linkLocal"] : [])].includes(
      range,
    )
      ? refuse(place, host, "the address of a machine")
      : host;
  }
  // Digits and dots alone are an address that is wrong.
  if (NAME.test(host) && host.length <= 253 && !/^[\d.]+$/.test(host)) return host;
  const bare = host.replace(/^\w+:\/\//, "").replace(/[/:].*$/, "");
  const meant = bare !== host && NAME.test(bare) ? ` (did you mean "${bare}"?)` : "";
  return refuse(place, host, `${allowed}${meant}`);
}

/**
 * Refuses where agents could not reach the API server: they are what makes Services and pods' addresses work, so its address is none of those.
 * @param networks of Services and pods, by the argument that names them
 */
export function requireApiServer(
  place: InputPlace,
  server: ApiServerAddress,
  networks: Record<string, string>,
): ApiServerAddress {
  const [host, port] = [at(place, "host"), at(place, "port")];
  requireHost(host, server.host);
  requireWhole(port, server.port, 1, 65535);
  const why = "agents reach it before there are Services and pods";
  if (SERVICE.test(server.host))
    refuse(host, server.host, `the API server's own address or name, and no Service: ${why}`);
  for (const [name, cidr] of Object.entries(networks)) {
    if (familyOf(server.host) === undefined || !contains(cidr, server.host)) continue;
    refuse(host, server.host, `outside ${name} ${cidr}: ${why}`);
  }
  return server;
}
