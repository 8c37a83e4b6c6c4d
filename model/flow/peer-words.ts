// Words of rules that a log's ends have without their addresses: those of Services and of nodes.
import { type EndpointSlice, endpointSlice, serviceNameLabel } from "../objects/discovery.ts";
import type { CompiledPolicy } from "../policy/compiled-policy.ts";
import type { Identity } from "../policy/identity.ts";
import { ANYBODY, type Peer } from "../policy/judge.ts";
import type { Labels } from "../policy/selector.ts";
import { serviceGroups, serviceOf, serviceSource } from "../policy/service-words.ts";
import { isOfNodes } from "../policy/workload-selector.ts";

/** A Service whose endpoints are known by their labels; an EndpointSlice without addresses has their ports. */
export interface SelectingService {
  /** "shop/web" */
  readonly name: string;
  readonly selector: Labels;
}

/** The same as the objects that FlowJudge reads. @param ports of the pods behind it */
export function sliceOf(name: string, ports: EndpointSlice["ports"]): EndpointSlice {
  const [namespace = "", service = ""] = name.split("/");
  const metadata = { name: service, namespace, labels: { [serviceNameLabel]: service } };
  return endpointSlice.parse({ metadata, addressType: "IPv4", ports });
}

/** The policies that name a Service whose endpoints are not known. @param known undefined: all are */
export function namingOthers(
  policies: readonly Pick<CompiledPolicy, "owner" | "services">[],
  known: readonly SelectingService[] | undefined,
): ReadonlySet<string> {
  if (!known) return new Set();
  const names = new Set(known.map(({ name }) => name));
  const others = policies.filter(({ services }) => services.some((name) => !names.has(name)));
  return new Set(others.map(({ owner }) => owner));
}

/** The words of pods that are endpoints of these Services. */
export function serviceWords(
  { namespace, labels = {} }: { readonly namespace: string; readonly labels?: Labels | undefined },
  services: readonly SelectingService[],
  slices: readonly EndpointSlice[],
): string[] {
  return services
    .filter(({ name }) => name.startsWith(`${namespace}/`))
    .filter(({ selector }) => Object.entries(selector).every(([key, value]) => labels[key] === value))
    .flatMap(({ name }) => {
      const groups = serviceGroups(
        name,
        slices.filter((slice) => serviceOf(slice) === name),
      );
      return [serviceSource(name), ...groups.map(({ text }) => text)];
    });
}

/** The words that a node may have if its labels are not known: of no node that rules select, or of every node. @param texts of all
 * selectors */
export function asSomeNode(
  known: readonly (Identity | undefined)[],
  texts: Iterable<string>,
): readonly (Peer | undefined)[] {
  const words = [...texts].filter(isOfNodes);
  return words.length === 0 ? known : [...known, ...known.map((one) => withWords(one, words))];
}

export function withWords(peer: Peer | undefined, words: readonly string[]): Peer | undefined {
  if (words.length === 0) return peer;
  const { selectors, cidrs, ports } = peer ?? ANYBODY;
  return { selectors: new Set([...selectors, ...words]), cidrs, ports };
}
