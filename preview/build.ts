import type { Check } from "../components/documents/check.ts";
import { readVerification } from "../verify/format/document.ts";
import { CheckFileError } from "../verify/format/read.ts";
import { costInWords, costOf } from "./cost.ts";
import type { Cluster } from "./declared/cluster.ts";
import { type Declared, declaredOf } from "./declared/declared.ts";
import type { Machine } from "./declared/machines.ts";
import type { Preview } from "./document.ts";
import { type HeldExpectations, holdExpectations } from "./expectations.ts";
import type { Impact } from "./flows/document.ts";
import { type FlowLog, impactOf } from "./flows/impact.ts";
import { securityGroupsOf, subnetsOf } from "./network.ts";
import { declaredPaths } from "./paths.ts";
import { castOf } from "./reach/cast.ts";
import { changesOf, type ReachChange } from "./reach/changes.ts";
import { reachTable } from "./reach/table.ts";
import { type Resource, title } from "./resource.ts";
import { sceneOf } from "./scene.ts";
import { warningsOf } from "./warnings/warnings.ts";

/** Input of a preview, from the runner or from the Pulumi CLI. */
export interface PreviewInputs {
  project: string;
  stack: string;
  resources: Resource[];
}

/** An earlier preview, and its name in the output. */
export interface Baseline {
  what: string;
  preview: Pick<Preview, "reach" | "cost">;
}

/** Everything that is known about a stack before it is created: pure. */
export function buildPreview(
  { project, stack, resources }: PreviewInputs,
  baseline?: Baseline,
  flowLog?: FlowLog,
): Preview {
  const declared = declaredOf(resources);
  const { machines, clusters } = declared;
  const reach = clusters.flatMap((cluster) => {
    const rows = reachTable(castOf(sceneOf(cluster)));
    // With several clusters, names get the provider's name as a prefix.
    return clusters.length === 1 ? rows : rows.map((row) => ({ ...row, to: `${cluster.name}: ${row.to}` }));
  });
  const cost = costOf(resources);
  const against = baseline && comparison(baseline, { reach, cost });
  // A log does not name its cluster.
  const [cluster] = clusters.length === 1 ? clusters : [];
  return {
    project,
    stack,
    resources: [...branches(resources, "", 0)],
    machines: machines.map(toldMachine),
    subnets: subnetsOf(declared.resources, machines),
    securityGroups: securityGroupsOf(declared.resources),
    ways: clusters.flatMap((cluster) => declaredPaths(cluster, castOf(sceneOf(cluster)))),
    cost,
    reach,
    ...(against && { against }),
    ...(flowLog && cluster && { flows: impactOn(cluster, flowLog, against?.reach ?? []) }),
    expectations: expectationsOf(declared),
    warnings: warningsOf(declared),
  };
}

function impactOn(cluster: Cluster, flowLog: FlowLog, changes: ReachChange[]): Impact {
  return impactOf(castOf(sceneOf(cluster)), flowLog, changes);
}

/** Resources below a URN with their depth, in the order of the program. */
function* branches(resources: Resource[], parent: string, depth: number): Generator<Preview["resources"][number]> {
  const known = new Set(resources.map(({ urn }) => urn));
  const isChild = (one: Resource) => one.parent === parent || (parent === "" && !known.has(one.parent));
  for (const child of resources.filter(isChild)) {
    const { type, name, change } = child;
    yield { type, name, title: title(child), depth, ...(change && { change }) };
    yield* branches(resources, child.urn, depth + 1);
  }
}

function toldMachine({ name, role, address, instance }: Machine): Preview["machines"][number] {
  const { type, spot, zone, securityGroups } = instance ?? {};
  return {
    name,
    role,
    ...(address && { address }),
    ...(type && { instanceType: type, spot, securityGroups }),
    ...(zone && { zone }),
  };
}

function comparison({ what, preview: before }: Baseline, after: Baseline["preview"]): NonNullable<Preview["against"]> {
  const counts = (items: Preview["cost"]) => new Map(items.map((item) => [`${item.what}: ${item.kind}`, item]));
  const [old, now] = [counts(before.cost), counts(after.cost)];
  const cost = [...new Set([...old.keys(), ...now.keys()])].flatMap((item) => {
    const [was, is] = [old.get(item), now.get(item)];
    const same = was && is && costInWords(was) === costInWords(is);
    return same ? [] : [{ item, before: was?.count ?? 0, after: is?.count ?? 0 }];
  });
  return { what, reach: changesOf(before.reach, after.reach), cost };
}

/** Every verification of the stack, on the cluster whose clients it uses; with several clusters that one is not known. */
function expectationsOf({ resources, clusters }: Declared): HeldExpectations {
  const [cluster] = clusters;
  if (!cluster || clusters.length > 1) return { contradictions: [], met: 0, open: 0 };
  return holdExpectations(sceneOf(cluster), resources.flatMap(checksOf));
}

/** The checks in the input of a verification's command; none if their clients are not known yet. */
function checksOf({ type, parent, inputs: { stdin } }: Resource): Check[] {
  if (type !== "command:local:Command" || !parent.includes("SourceIpVerification::")) return [];
  if (typeof stdin !== "string") return [];
  try {
    return readVerification(stdin).checks.map(({ check }) => check);
  } catch (error) {
    if (error instanceof CheckFileError) return [];
    throw error;
  }
}
