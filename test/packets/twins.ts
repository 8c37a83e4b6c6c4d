// The small cluster in IPv6: each of its IPv4 addresses has a twin, which is who and where the other one is.
import type { EgressHow, Prefix } from "../../agent/kernel/layout.gen.ts";
import type { Loaded } from "../../agent/kernel/load.ts";
import { addressBytes, addressOf, type Family, familyOf } from "../../model/address/address.ts";
import { ANY_NODE } from "../../model/service/frontend.ts";

/** Twins are in this /96, so a prefix of n bits in IPv4 is one of 96 + n here, as it is in the maps. */
const TWINS = addressBytes("2001:db8::").slice(0, 12);
/** Backends and their lists have numbers of their own. */
const OTHER_NUMBERS = 0x4000_0000;
const IPV4 = "(?:\\d{1,3}\\.){3}\\d{1,3}";

export function twinOf(address: string): string {
  return addressOf([...TWINS, ...addressBytes(address).slice(12)]);
}

/** Whose twin it is; undefined: it is none. */
export function twinnedBy(address: string): string | undefined {
  const bytes = addressBytes(address);
  return TWINS.every((byte, index) => byte === bytes[index]) ? bytes.slice(12).join(".") : undefined;
}

/** The address, or its twin; one of IPv6 is its own. */
export function inFamily(address: string, family: Family): string {
  return family === "IPv6" && familyOf(address) === "IPv4" ? twinOf(address) : address;
}

/** A line of inWords() as the same packet has it in IPv6. Next hops, which follow the outcome, keep their names. */
export function wordsInIpv6(text: string): string {
  return text.replace(
    new RegExp(`(^\\^?\\w+ to )?(${IPV4})(:\\d+)?`, "g"),
    (whole, place: string | undefined, address: string, port: string | undefined) => {
      if (place !== undefined) return whole;
      return port ? `[${twinOf(address)}]${port}` : twinOf(address);
    },
  );
}

/** The maps of services, which have many entries: most cases change none of them. */
const OF_SERVICES = ["frontends", "backends", "slots", "members", "sourceRanges"] as const;

/** Adds a twin for each entry that the agent wrote. Nodes are still named by their IPv4 addresses, over which they reach each other.
 * @param changed the maps that the agent wrote to since the last time; undefined: any */
export function writeTwins(maps: Loaded["maps"], changed?: ReadonlySet<string>): void {
  if (!knowsIpv6(maps)) return;
  writeWorkloads(maps);
  writeEgress(maps);
  if (!changed || OF_SERVICES.some((name) => changed.has(name))) writeServices(maps);
  const [[key, value] = []] = maps.settings.entries();
  if (key !== undefined && value) maps.settings.update([[key, { ...value, second: twinOf(value.node) }]]);
}

/** Another version (bench/) may be older than IPv6: each of its workloads has one address. */
function knowsIpv6({ interfaces }: Loaded["maps"]): boolean {
  return interfaces.entries().every(([, workload]) => typeof workload === "object");
}

function writeWorkloads({ endpoints, locations, interfaces, uplinks }: Loaded["maps"]): void {
  const twinsOf = <V>(entries: [string, V][]) =>
    entries.flatMap(([address, value]): [string, V][] => (isIpv4(address) ? [[twinOf(address), value]] : []));
  endpoints.update(twinsOf(endpoints.entries()));
  const written = locations.entries();
  // A place that the agent has removed since the last time.
  locations.delete(written.flatMap(([key]) => (twinnedBy(key.address) ? [key] : [])));
  locations.update(
    written.flatMap(([{ prefixLength, address }, value]): [Prefix, typeof value][] =>
      isIpv4(address) ? [[{ prefixLength, address: twinOf(address) }, value]] : [],
    ),
  );
  for (const map of [interfaces, uplinks])
    map?.update(map.entries().map(([ifindex, { ipv4 }]) => [ifindex, { ipv4, ipv6: twinOf(ipv4) }]));
}

// A type's value: another version (bench/) may lack the enum.
const HERE: typeof EgressHow.HERE = 1;

/** Those of an earlier writing go first: the agent knows nothing of them. */
function writeEgress({ egressGroups, egressWays }: Loaded["maps"]): void {
  egressGroups?.delete(egressGroups.entries().flatMap(([address]) => (twinnedBy(address) ? [address] : [])));
  egressWays?.delete(egressWays.entries().flatMap(([key]) => (twinnedBy(key.destination) ? [key] : [])));
  egressGroups?.update(egressGroups.entries().map(([address, group]) => [twinOf(address), group]));
  egressWays?.update(
    egressWays
      .entries()
      .filter(([{ destination }]) => isIpv4(destination))
      .map(([key, { how, address }]) => [
        { ...key, destination: twinOf(key.destination) },
        { how, address: how === HERE && isIpv4(address) ? twinOf(address) : address },
      ]),
  );
}

function writeServices({ frontends, backends, slots, members, sourceRanges }: Loaded["maps"]): void {
  const other = (number: number) => (number ^ OTHER_NUMBERS) >>> 0;
  const at = (address: string) =>
    address === ANY_NODE.IPv4 ? ANY_NODE.IPv6 : isIpv4(address) ? twinOf(address) : undefined;
  const lists = new Set(
    frontends.entries().flatMap(([{ address }, { backendList }]) => (at(address) ? [backendList] : [])),
  );
  backends.update(
    backends
      .entries()
      .flatMap(([id, value]): [number, typeof value][] =>
        isIpv4(value.address) ? [[other(id), { ...value, address: twinOf(value.address) }]] : [],
      ),
  );
  slots.update(
    slots
      .entries()
      .filter(([{ backendList }]) => lists.has(backendList))
      .map(([{ backendList, index }, id]) => [{ backendList: other(backendList), index }, other(id)]),
  );
  members.update(
    members
      .entries()
      .filter(([{ backendList }]) => lists.has(backendList))
      .map(([{ backendList, backend }, value]) => [
        { backendList: other(backendList), backend: other(backend) },
        value,
      ]),
  );
  sourceRanges.update(
    sourceRanges
      .entries()
      .filter(([{ client }]) => isIpv4(client))
      .map(([key, value]) => [{ ...key, client: twinOf(key.client) }, value]),
  );
  frontends.update(
    frontends.entries().flatMap(([key, value]): [typeof key, typeof value][] => {
      const address = at(key.address);
      return address
        ? [
            [
              { ...key, address },
              { ...value, backendList: other(value.backendList) },
            ],
          ]
        : [];
    }),
  );
}

function isIpv4(address: string): boolean {
  return familyOf(address) === "IPv4";
}
