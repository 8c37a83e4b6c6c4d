import { type Cidr, type Family, familyOf, readCidr } from "../address/address.ts";
import { firstFew } from "../first-few.ts";
import { heaviestFirst } from "../heaviest-first.ts";
import { type Named, named } from "../named.ts";
import type { Service } from "../objects/core.ts";
import { objectName } from "../objects/metadata.ts";
import type { Problem } from "../problem.ts";
import type { Steps } from "../steps.ts";

/** Clients that may use a load balancer's address. Its name is its content: a changed list is another set. */
export interface RangeSet extends Named {
  readonly ranges: readonly Cidr[];
}

/** What one Service says of its load balancer's clients. */
export interface SourceRanges {
  /** The clients that may use an address of this family; undefined: all. */
  of(family: Family): RangeSet | undefined;
  readonly problems: readonly Problem[];
}

/** The limit for the loadBalancerSourceRanges of one Service. With more, its load balancer's addresses are not served. */
export const SOURCE_RANGES_LIMIT = 4_096;

const ANNOTATION = "service.beta.kubernetes.io/load-balancer-source-ranges";

export const EVERYBODY: SourceRanges = { of: () => undefined, problems: [] };

/** The ranges of a Service. The field takes precedence over the annotation. A list that is invalid or too long admits no client.
 * @param room for all ranges of a node, if this list is among those that are too many (`tooMany`) */
export function sourceRanges(service: Service, room?: number): SourceRanges {
  const { path, texts } = written(service);
  if (texts.length === 0) return EVERYBODY;
  if (room !== undefined) {
    const message = `all Services together have more than ${room} ranges, and those of this namespace most. ${NO_CLIENT} until there are fewer. Next: name larger ranges, or use one list for several Services.`;
    return noClient([about(service, path, message)]);
  }
  if (texts.length > SOURCE_RANGES_LIMIT) {
    const message = `has ${texts.length} ranges; one Service may have ${SOURCE_RANGES_LIMIT}. ${NO_CLIENT} until there are fewer. Next: name larger ranges.`;
    return noClient([about(service, path, message)]);
  }
  const read = texts.map((text, index) => ({ text, index, cidr: readCidr(text) }));
  const wrong = read.filter(({ cidr }) => cidr === undefined);
  const ranges = read.flatMap(({ cidr }) => cidr ?? []);
  if (wrong.length > 0) {
    const named = wrong.map(({ text, index }) => `"${text.slice(0, 50)}" at [${index}]`);
    const message = `${firstFew(named)}: expected the form 10.244.0.0/16 or fd00::/64. ${NO_CLIENT} until that is mended.`;
    return noClient([about(service, path, message)]);
  }
  const sets = { IPv4: setOf(ranges, "IPv4"), IPv6: setOf(ranges, "IPv6") };
  const without = familiesOf(service).filter((family) => sets[family]?.ranges.length === 0);
  const problems = without.map((family) =>
    about(service, path, `has no range of ${family}. No client is served at the load balancer's ${family} addresses.`),
  );
  return { of: (family) => sets[family], problems };
}

/** The Services whose lists are given up where all together are too many for a node: work and memory must not grow with what
 * one namespace writes. Services of one namespace with the same list count once. */
export function* tooMany(services: readonly Service[], room: number): Steps<ReadonlySet<Service>> {
  const lists = new Map<string, { namespace: string; owner: string; weight: number; services: Service[] }>();
  for (const service of services) {
    const { texts } = written(service);
    if (texts.length === 0 || texts.length > SOURCE_RANGES_LIMIT) continue;
    yield;
    const namespace = service.metadata.namespace ?? "default";
    const key = `${namespace} ${texts.join()}`;
    const known = lists.get(key);
    if (known) known.services.push(service);
    else lists.set(key, { namespace, owner: objectName(service), weight: texts.length, services: [service] });
  }
  let total = [...lists.values()].reduce((sum, { weight }) => sum + weight, 0);
  if (total <= room) return NONE;
  const closed = new Set<Service>();
  for (const { weight, services } of heaviestFirst([...lists.values()])) {
    if (total <= room) break;
    total -= weight;
    for (const service of services) closed.add(service);
  }
  return closed;
}

const NONE: ReadonlySet<Service> = new Set();

const NO_CLIENT = "No client is served at the load balancer's addresses";

function noClient(problems: readonly Problem[]): SourceRanges {
  const set = setOf([], "IPv4");
  return { of: () => set, problems };
}

/** Ranges of the other family do not apply to this one's clients: without ranges of this family no client is admitted. */
function setOf(all: readonly Cidr[], family: Family): RangeSet | undefined {
  const byText = new Map(all.filter((cidr) => cidr.family === family).map((cidr) => [cidr.text, cidr]));
  const ranges = [...byText.values()].sort((a, b) => (a.text < b.text ? -1 : 1));
  if (ranges.some(({ text }) => text === "0.0.0.0/0" || text === "::/0")) return undefined;
  return { ...named(`source ranges ${ranges.map(({ text }) => text).join(" ")}`), ranges };
}

/** Services of other types have no load balancer: there is nothing to restrict. */
function written({ spec, metadata }: Service): { path: string; texts: readonly string[] } {
  const path = "spec.loadBalancerSourceRanges";
  if (spec.type !== "LoadBalancer") return { path, texts: [] };
  const texts = spec.loadBalancerSourceRanges.map((text) => text.trim());
  if (texts.length > 0) return { path, texts };
  const annotation = metadata.annotations?.[ANNOTATION]?.split(",").flatMap((text) => text.trim() || []) ?? [];
  return { path: `metadata.annotations[${ANNOTATION}]`, texts: annotation };
}

/** Of the load balancer's addresses. */
function familiesOf({ status }: Service): Family[] {
  const ingress = status?.loadBalancer?.ingress ?? [];
  return [...new Set(ingress.flatMap(({ ip }) => familyOf(ip ?? "") ?? []))];
}

function about({ metadata }: Service, path: string, message: string): Problem {
  return { kind: "Service", namespace: metadata.namespace ?? undefined, name: metadata.name, path, message };
}
