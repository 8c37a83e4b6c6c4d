// Selects the flows that a reader wants. Pure: facts about the cluster are passed in.
import { type Address, type Cidr, covers, familyOf, hostCidr, readCidr } from "../../../model/address/address.ts";
import { FormatError, requireName } from "../../../model/expectation/place.ts";
import type { End, Flow } from "./flow.ts";

/** One end, as a filter names it. A pod's name also stands for the pods of the workload with this name. */
export type EndTerm =
  | { readonly kind: "pod" | "service"; readonly namespace: string; readonly name: string }
  | { readonly kind: "namespace" | "node"; readonly name: string }
  | { readonly kind: "block"; readonly cidr: Cidr };

/** A flow is wanted if it matches one term of each list that has any. */
export interface FlowFilter {
  readonly from: readonly EndTerm[];
  readonly to: readonly EndTerm[];
  /** The Service that the client asked for, or whose endpoint it was given. */
  readonly services: readonly EndTerm[];
  /** Namespaces at either end. */
  readonly namespaces: readonly string[];
  /** "NAME" or "NAMESPACE/NAME" of a policy that refused, logged, or would refuse if it were not staged. */
  readonly policies: readonly string[];
  /** Only refused flows. */
  readonly refused: boolean;
  /** Whether opened connections to port 53 are wanted. Refused ones always are. */
  readonly dns: boolean;
}

export const EVERYTHING: FlowFilter = {
  ...{ from: [], to: [], services: [], namespaces: [], policies: [] },
  ...{ refused: false, dns: true },
};

/** The facts about the cluster that a filter needs. */
export interface FilterFacts {
  /** Addresses and ports of the pods behind a Service "NAMESPACE/NAME", by `endpointKey`. A socket gets one of them at connect(), so its
   * packets do not name the Service. */
  readonly endpoints: (service: string) => ReadonlySet<string>;
  /** All policies that a refusal is about, where its text names only the first few. */
  readonly policyNames?: string;
}

export function endpointKey(address: Address, port: number, protocol: string): string {
  return `${address} ${port} ${protocol}`;
}

const TERMS = "pod/NAMESPACE/NAME, service/NAMESPACE/NAME, namespace/NAME, node/NAME, an address or a CIDR";

/** Reads a term in the form that is sent to agents. @throws FormatError */
export function parseTerm(text: string): EndTerm {
  if (familyOf(text)) return { kind: "block", cidr: hostCidr(text) };
  const cidr = readCidr(text);
  if (cidr) return { kind: "block", cidr };
  const [kind = "", ...names] = text.split("/").map((part, index) => (index === 0 ? part : requireName(text, part)));
  if ((kind === "pod" || kind === "service") && names.length === 2)
    return { kind, namespace: names[0] ?? "", name: names[1] ?? "" };
  if ((kind === "namespace" || kind === "node") && names.length === 1) return { kind, name: names[0] ?? "" };
  throw new FormatError(`"${text}" names no end of a flow`, TERMS);
}

export function isRefused({ verdict }: Pick<Flow, "verdict">): boolean {
  return verdict === "dropped" || verdict === "rejected";
}

/** An opened connection that asks a DNS server something. */
function isDns({ verdict, protocol, to, backend }: Flow): boolean {
  return verdict === "opened" && (protocol === "UDP" || protocol === "TCP") && (to.port === 53 || backend?.port === 53);
}

export function isWanted(flow: Flow, filter: FlowFilter, facts: FilterFacts): boolean {
  const { from, to, services, namespaces, policies, refused, dns } = filter;
  if (refused && !isRefused(flow)) return false;
  if (!dns && isDns(flow)) return false;
  if (policies.length > 0 && !policies.some((name) => isAbout(flow, name, facts.policyNames))) return false;
  if (namespaces.length > 0 && !namespaces.some((name) => isIn(flow, name))) return false;
  if (from.length > 0 && !from.some((term) => flow.client !== undefined && isAt(flow.client, term))) return false;
  return [to, services].every((terms) => terms.length === 0 || terms.some((term) => isTo(flow, term, facts)));
}

/** The same for a socket's flow whose sender is not known yet: whether it is wanted if its packets turn out to be from the right sender. */
export function mayBeWanted(flow: Flow, filter: FlowFilter, facts: FilterFacts): boolean {
  return (
    flow.socket === true && flow.verdict === "opened" && isWanted(flow, { ...filter, from: [], namespaces: [] }, facts)
  );
}

function isIn({ client, to, backend, service }: Flow, namespace: string): boolean {
  const term = { kind: "namespace", name: namespace } as const;
  return [client, to, backend].some((end) => end && isAt(end, term)) || (service?.startsWith(`${namespace}/`) ?? false);
}

function isTo(flow: Flow, term: EndTerm, { endpoints }: FilterFacts): boolean {
  const { to, backend, service, protocol } = flow;
  if (isAt(to, term) || (backend && isAt(backend, term))) return true;
  if (term.kind === "namespace") return service?.startsWith(`${term.name}/`) ?? false;
  if (term.kind !== "service") return false;
  const name = `${term.namespace}/${term.name}`;
  if (service !== undefined) return withoutPort(service) === name;
  const { address, port } = backend ?? to;
  return endpoints(name).has(endpointKey(address, port, protocol));
}

function isAt({ address, name = "", workload }: End, term: EndTerm): boolean {
  const [kind = "", object = ""] = name.split(" ");
  switch (term.kind) {
    case "block":
      return familyOf(address) !== undefined && covers(term.cidr, hostCidr(address));
    case "node":
      return kind === "node" && object === term.name;
    case "namespace":
      return (kind === "pod" || kind === "service") && object.startsWith(`${term.name}/`);
    case "service":
      return kind === "service" && withoutPort(object) === `${term.namespace}/${term.name}`;
    case "pod":
      if (kind !== "pod" || !object.startsWith(`${term.namespace}/`)) return false;
      return object === `${term.namespace}/${term.name}` || workload === term.name;
  }
}

/** "default/web" of "default/web:http". */
function withoutPort(service: string): string {
  return service.split(":")[0] ?? service;
}

/** Whether words about a refusal name the policy: "NetworkPolicy shop/web, ingress rule 1". */
function isAbout({ rule = "", staged }: Flow, policy: string, all = ""): boolean {
  return [rule, staged?.reason ?? "", all].some((text) =>
    text.split(/[\s,;()]+/).some((word, index, words) => word === policy && words[index - 1]?.endsWith("Policy")),
  );
}
