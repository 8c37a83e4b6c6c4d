// Translates the names that people give to `watch` into the form that agents expect. A name that nothing has is refused, because it would
// show an empty screen.
import type { FlowQuery } from "../../agent/observe/events/flow-query.ts";
import { didYouMean } from "../../components/refusal/suggestion.ts";
import { familyOf, readCidr } from "../../model/address/address.ts";
import { FormatError } from "../../model/expectation/place.ts";
import { firstFew } from "../../model/first-few.ts";
import { workloadName } from "../../model/flow/workload.ts";
import { machineAddresses } from "../engine/lookup.ts";
import type { Machine } from "../engine/world.ts";

export interface Named {
  metadata?: { namespace?: string; name?: string; labels?: Record<string, string> };
}

/** Everything that has a name. */
export interface Known {
  readonly pods: readonly Named[];
  readonly services: readonly Named[];
  readonly nodes: readonly Named[];
  readonly namespaces: readonly string[];
  /** "NAME", "NAMESPACE/NAME"; undefined: not asked for. */
  readonly policies?: readonly string[];
  /** Outside the cluster. */
  readonly machines: readonly Machine[];
}

/** @param filter as a person writes it @returns the form for agents @throws FormatError with a suggestion */
export function askedOf(filter: FlowQuery, known: Known): FlowQuery {
  const { from = [], to = [], service = [], namespace = [], policy = [], ...switches } = filter;
  return {
    from: from.flatMap((word) => endTerms(word, known, false)),
    to: to.flatMap((word) => endTerms(word, known, true)),
    service: service.map((word) => serviceTerm(word, known)),
    namespace: namespace.map((word) => oneOf(word, known.namespaces, "namespace")),
    policy: policy.map((word) => oneOf(word, known.policies ?? [], "policy")),
    ...switches,
  };
}

const ENDS =
  "NAMESPACE/NAME of a pod, a workload or a Service, a namespace, a node, a client, an address or a CIDR; where a name has " +
  "several meanings pod/NAMESPACE/NAME, service/NAMESPACE/NAME, namespace/NAME or node/NAME";

function endTerms(word: string, known: Known, orService: boolean): string[] {
  if (familyOf(word) || readCidr(word)) return [word];
  const [kind = "", ...rest] = word.split("/");
  const name = rest.join("/");
  if (kind === "pod" && name) return [`pod/${oneOf(name, podNames(known), "pod")}`];
  if (kind === "service" && name) return [serviceTerm(name, known)];
  if (kind === "node" && name) return [`node/${oneOf(name, namesOf(known.nodes), "node")}`];
  if (kind === "namespace" && name) return [`namespace/${oneOf(name, known.namespaces, "namespace")}`];
  if (familyOf(kind)) throw new FormatError(`"${word}" is no CIDR`, "for example 10.244.0.0/16 or fd00::/64");
  if (name) return ofNamespace(word, known, orService);
  return ofOneWord(word, known);
}

function ofNamespace(word: string, known: Known, orService: boolean): string[] {
  const pods = podNames(known);
  const services = orService ? namesOf(known.services) : [];
  const found = [
    ...(pods.includes(word) ? [`pod/${word}`] : []),
    ...(services.includes(word) ? [`service/${word}`] : []),
  ];
  if (found.length > 0) return found;
  throw unknown(word, [...pods, ...services], orService ? "pod, workload or Service" : "pod or workload");
}

function ofOneWord(word: string, { nodes, namespaces, machines }: Known): string[] {
  const isNode = namesOf(nodes).includes(word);
  const machine = isNode ? undefined : machines.find(({ name }) => name === word);
  const meanings = [
    ...(isNode ? [[`node/${word}`]] : []),
    ...(machine ? [machineAddresses(machine)] : []),
    ...(namespaces.includes(word) ? [[`namespace/${word}`]] : []),
  ];
  const [first, second] = meanings;
  if (first && second)
    throw new FormatError(`"${word}" has several meanings`, meanings.map((one) => one.join(" and ")).join(", "));
  if (first) return first;
  const all = [...namesOf(nodes), ...machines.map(({ name }) => name), ...namespaces];
  throw unknown(word, all, "namespace, node or client");
}

function serviceTerm(word: string, { services }: Known): string {
  const name = word.replace(/^service\//, "").replace(/:[^:/]*$/, "");
  return `service/${oneOf(name, namesOf(services), "Service")}`;
}

function oneOf(word: string, names: readonly string[], what: string): string {
  if (names.includes(word)) return word;
  const here = names.filter((name) => name.endsWith(`/${word}`));
  if (here.length > 0)
    throw new FormatError(`there is no ${what} "${word}"; did you mean ${firstFew(here)}?`, "NAMESPACE/NAME");
  throw unknown(word, names, what);
}

function unknown(word: string, names: readonly string[], what: string): FormatError {
  const all = [...new Set(names)].sort();
  const suggestion = didYouMean(word, all);
  const few = all.length > 0 && all.length <= 12 ? all.join(", ") : ENDS;
  return new FormatError(`there is no ${what} "${word}"${suggestion}`, few);
}

/** "NAMESPACE/NAME"; for objects without a namespace "NAME". */
export function namesOf(objects: readonly Named[]): string[] {
  return objects.map(({ metadata }) => [metadata?.namespace, metadata?.name].filter(Boolean).join("/"));
}

/** Of pods and of their workloads. */
function podNames({ pods }: Pick<Known, "pods">): string[] {
  return pods.flatMap(({ metadata: { namespace = "", name = "", labels = {} } = {} }) => [
    `${namespace}/${name}`,
    `${namespace}/${workloadName(name, labels)}`,
  ]);
}
