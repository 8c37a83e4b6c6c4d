import type { Resource } from "../resource.ts";
import type { Warning } from "./warning.ts";

const ROUTE = "aws:ec2/route:Route";

/** Of each route table, unless AWS has raised it ("Amazon VPC quotas"). */
const QUOTA = 500;

/** Networks that a VPC routes to instances. */
export function routedByVpc(resources: readonly Resource[]): ReadonlySet<string> {
  const routes = resources.filter(({ type, references }) => type === ROUTE && references.networkInterfaceId?.length);
  return new Set(routes.map(({ inputs }) => String(inputs.destinationCidrBlock)));
}

/** Tables with more routes than AWS takes. */
export function routeWarnings(resources: readonly Resource[]): Warning[] {
  const routes = resources.filter(({ type }) => type === ROUTE);
  const tables = Map.groupBy(routes, ({ inputs, references }) =>
    String(references.routeTableId?.[0]?.split("::").at(-1) ?? inputs.routeTableId),
  );
  return [...tables]
    .filter(([, { length }]) => length > QUOTA)
    .map(([table, { length }]) => ({
      about: `route table ${table}`,
      what: `the stack gives it ${length} routes, and AWS takes ${QUOTA} unless the quota "Routes per route table" was raised`,
      next: "have the quota raised (up to 1,000), or use podRouting Nodes, which needs no routes",
    }));
}
