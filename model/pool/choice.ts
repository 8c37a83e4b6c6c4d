import { type Address, FAMILIES, type Family, parseCidr, readCidr } from "../address/address.ts";
import { fits, lookupIn } from "../calico-selector/expression.ts";
import { parseSelector } from "../calico-selector/parse.ts";
import { firstFew } from "../first-few.ts";
import type { IpPool } from "../objects/calico.ts";
import type { Metadata } from "../objects/metadata.ts";
import type { Problem } from "../problem.ts";
import { isForWorkloads } from "./uses.ts";

/** Calico's annotations of a pod, or of its namespace, that name the pools of its addresses. */
export const POOL_ANNOTATIONS: Readonly<Record<Family, string>> = {
  IPv4: "cni.projectcalico.org/ipv4pools",
  IPv6: "cni.projectcalico.org/ipv6pools",
};

type Marked = Pick<Metadata, "name" | "labels" | "annotations">;

/** A pod that needs addresses, with what decides which pools they come from. Undefined: not known here. */
export interface Applicant {
  readonly pod: Marked;
  readonly namespace: Marked | undefined;
  readonly node: Marked | undefined;
}

/** Pools of one family in the order in which they are tried, or why the pod gets no address of the family. `only`: the single acceptable
 * address of the pool. */
export type Choice = { readonly pools: readonly IpPool[]; readonly only?: Address } | { readonly fault: string };

/** The pools that give the pod addresses. A pool that the pod or its namespace names takes precedence over `nodeSelector` and
 * `assignmentMode`, as in Calico. `namespaceSelector` always applies: the administrator sets it, and the authors of pods set
 * annotations. */
export function choosePools(pools: readonly IpPool[], applicant: Applicant): Readonly<Record<Family, Choice>> {
  const [IPv4, IPv6] = FAMILIES.map((family) => chooseOf(family, pools, applicant)) as [Choice, Choice];
  return { IPv4, IPv6 };
}

/** The pools that an annotation names; undefined where nothing is named. @returns a fault without the annotation's name */
function namedPools(family: Family, { annotations }: Marked, pools: readonly IpPool[]): Choice | undefined {
  const text = annotations?.[POOL_ANNOTATIONS[family]];
  if (text === undefined) return undefined;
  const names = listOf(text);
  if (!names)
    return {
      fault: `"${text.slice(0, 100)}" is no list of IPPools; expected names or networks, like ["pool-a", "10.244.0.0/24"]`,
    };
  const known = pools.filter((pool) => familyOf(pool) === family);
  const found = names.map((name) => known.find((pool) => isCalled(pool, name)) ?? name);
  const missing = found.find((pool) => typeof pool === "string");
  if (missing === undefined) return choiceOf([...new Set(found as IpPool[])]);
  const others = known
    .filter(isForWorkloads)
    .map(({ metadata }) => metadata.name)
    .sort();
  const allowed = others.length > 0 ? `${family} has ${firstFew(others)}` : `${family} has no IPPool`;
  return { fault: `no IPPool of ${family} is called "${String(missing).slice(0, 100)}"; ${allowed}` };
}

function choiceOf(pools: readonly IpPool[]): Choice {
  for (const pool of pools) {
    const { name } = pool.metadata;
    if (!isForWorkloads(pool)) return { fault: `IPPool ${name} has no addresses for pods (spec.allowedUses)` };
    if (pool.spec.disabled) return { fault: `IPPool ${name} is disabled` };
  }
  return { pools };
}

function chooseOf(family: Family, pools: readonly IpPool[], { pod, namespace, node }: Applicant): Choice {
  for (const [kind, asking] of [
    ["Pod", pod],
    ["Namespace", namespace],
  ] as const) {
    const named = asking && namedPools(family, asking, pools);
    if (!named) continue;
    const place = `${kind} ${asking.name}, metadata.annotations[${POOL_ANNOTATIONS[family]}]`;
    if ("fault" in named) return { fault: `${place}: ${named.fault}` };
    const choice = admitted(named.pools, namespace);
    return "fault" in choice ? { fault: `${place}: ${choice.fault}` } : choice;
  }
  const automatic = poolsOfNode(pools, node).filter(
    (pool) =>
      familyOf(pool) === family &&
      pool.spec.assignmentMode !== "Manual" &&
      admits(pool.spec.namespaceSelector, namespace),
  );
  return { pools: automatic.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)) };
}

/** Pools that an annotation names, unless the namespace's pods may have no addresses of one. */
export function admitted(pools: readonly IpPool[], namespace: Marked | undefined): Choice {
  const choice = choiceOf(pools);
  const closed = pools.find((pool) => !admits(pool.spec.namespaceSelector, namespace));
  if ("fault" in choice || !closed) return choice;
  const { name } = closed.metadata;
  return {
    fault: `IPPool ${name} is not for this namespace (spec.namespaceSelector: ${closed.spec.namespaceSelector})`,
  };
}

/** The pools of which the node's pods may get new addresses, even if no pod names one. */
export function poolsOfNode(pools: readonly IpPool[], node: Marked | undefined): IpPool[] {
  return pools.filter((pool) => isForWorkloads(pool) && !pool.spec.disabled && admits(pool.spec.nodeSelector, node));
}

/** Pools that namespaces name and that give no addresses. */
export function namespacePoolProblems(namespaces: readonly Marked[], pools: readonly IpPool[]): Problem[] {
  return namespaces.flatMap((namespace) =>
    FAMILIES.flatMap((family) => {
      const named = namedPools(family, namespace, pools);
      if (!named || "pools" in named) return [];
      const path = `metadata.annotations[${POOL_ANNOTATIONS[family]}]`;
      const message = `${named.fault}; pods of this namespace that name no other pool do not start.`;
      return [{ kind: "Namespace", name: namespace.name, path, message }];
    }),
  );
}

/** Whether a selector means the object; of an unknown object nothing is known but that it exists. */
function admits(selector: string | undefined, object: Marked | undefined): boolean {
  if (selector === undefined) return true;
  const { expression } = parseSelector(selector) as Extract<ReturnType<typeof parseSelector>, { fault?: never }>;
  if (!expression) return false;
  return object ? fits(expression, lookupIn(object.labels ?? {})) : expression.kind === "all";
}

function isCalled({ metadata, spec }: IpPool, name: string): boolean {
  return metadata.name === name || readCidr(name)?.text === parseCidr(spec.cidr).text;
}

function familyOf({ spec }: IpPool): Family {
  return parseCidr(spec.cidr).family;
}

/** The texts of a JSON list that has some and nothing else. */
export function listOf(text: string): string[] | undefined {
  try {
    const read: unknown = JSON.parse(text);
    return Array.isArray(read) && read.length > 0 && read.every((one) => typeof one === "string") ? read : undefined;
  } catch {
    return undefined;
  }
}
