// Policies that stay in force beside the proposed ones, and what they say of the flows of a log.
import { parseAllDocuments } from "yaml";
import { faultsOf, inWords } from "../components/documents/faults.ts";
import { HostJudges } from "../model/flow/host-judges.ts";
import { FlowJudge } from "../model/flow/judge.ts";
import { strictest } from "../model/flow/judged.ts";
import type { JudgedBy } from "../model/flow/judged-by.ts";
import type { SeenFlows } from "../model/flow/seen.ts";
import { defaultConfiguration } from "../model/mode/configuration.ts";
import { apiVersionOf, type KindName, kinds } from "../model/objects/kinds.ts";
import { networkPolicy } from "../model/objects/networking.ts";
import { type ObjectOf, schemas } from "../model/objects/schemas.ts";
import { encapsulationOf, wrapsOf } from "../model/pool/encapsulation.ts";
import { objectOf } from "./objects.ts";
import { deniedInLog, type Forbids, type Suggestion } from "./suggest.ts";

/** Objects of a file, by kind. */
export interface InForce {
  of<Name extends KindName>(name: Name): ObjectOf<Name>[];
}

interface Written {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly items?: unknown;
  readonly metadata?: { readonly name?: unknown; readonly namespace?: unknown };
}

/** Reads documents of YAML or JSON, lists of kubectl's included. Kinds that decide nothing about flows are passed over.
 * @throws Error in one sentence, which names the object and the field */
export function readInForce(text: string): InForce {
  const documents = parseAllDocuments(text);
  const [fault] = documents.flatMap(({ errors }) => errors);
  if (fault) throw new Error(fault.message.split("\n")[0]?.replace(/:$/, "") ?? "it is no YAML");
  const written = documents.map((one) => one.toJS() as unknown).flatMap(itemsOf);
  const found = new Map<KindName, unknown[]>();
  for (const object of written) {
    const name = (Object.keys(kinds) as KindName[]).find(
      (one) => kinds[one].kind === object.kind && apiVersionOf(kinds[one]) === object.apiVersion,
    );
    if (!name) continue;
    const [wrong] = faultsOf(schemas[name], object);
    if (wrong) throw new Error(`${titleOf(object)}: ${inWords(wrong)}`);
    found.set(name, [...(found.get(name) ?? []), schemas[name].parse(object)]);
  }
  if (found.size === 0) throw new Error("it has no object that the dataplane knows");
  return { of: <Name extends KindName>(name: Name) => (found.get(name) ?? []) as ObjectOf<Name>[] };
}

function itemsOf(document: unknown): Written[] {
  if (document === null || document === undefined) return [];
  if (typeof document !== "object" || Array.isArray(document)) throw new Error("a document of it is no object");
  const { items } = document as Written;
  return Array.isArray(items) ? items.flatMap(itemsOf) : [document];
}

function titleOf({ kind, metadata }: Written): string {
  const { namespace, name = "without a name" } = metadata ?? {};
  return `${String(kind)} ${namespace === undefined ? "" : `${String(namespace)}/`}${String(name)}`;
}

/** What these objects, with the proposed policies among them, refuse. */
export function forbidsWith(inForce: InForce, seen: SeenFlows, { policies }: Suggestion): Forbids {
  const proposed = policies.map((one) => networkPolicy.parse(objectOf(one)));
  const slices = inForce.of("endpointSlices");
  const by: JudgedBy = {
    policies: {
      networkPolicies: [...inForce.of("networkPolicies"), ...proposed],
      calicoNetworkPolicies: inForce.of("calicoNetworkPolicies"),
      globalNetworkPolicies: inForce.of("globalNetworkPolicies"),
      clusterNetworkPolicies: inForce.of("clusterNetworkPolicies"),
      ...{ tiers: inForce.of("tiers"), networkSets: inForce.of("networkSets") },
      globalNetworkSets: inForce.of("globalNetworkSets"),
      ...(slices.length > 0 && { endpointSlices: slices }),
    },
    pools: seen.pools,
    nodes: new Map(),
    namespaces: new Map(inForce.of("namespaces").map(({ metadata: { name, labels } }) => [name, labels ?? {}])),
  };
  const hosts = new HostJudges(
    by,
    {
      hostEndpoints: inForce.of("hostEndpoints"),
      kubeControllersConfigurations: inForce.of("kubeControllersConfigurations"),
      configuration: defaultConfiguration(inForce.of("felixConfigurations")),
      services: inForce.of("services"),
      wraps: wrapsOf(inForce.of("ipPools").map((pool) => encapsulationOf(pool).mode)),
    },
    seen,
  );
  const judge = new FlowJudge({ ...by, hostPeers: hosts.peers }, seen.flows);
  return (flow) => {
    const { verdict, reason = "" } = strictest([judge.judge(flow), hosts.judge(flow)]);
    if (verdict === "denied") return reason;
    return verdict === "depends" ? `it depends: ${reason}` : deniedInLog(flow);
  };
}
