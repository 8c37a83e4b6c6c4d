import type { Declared } from "../declared/declared.ts";
import { addressWarnings } from "./addresses.ts";
import { balancerWarnings } from "./balancers.ts";
import { bgpWarnings } from "./bgp.ts";
import { egressWarnings } from "./egress.ts";
import { machineWarnings } from "./machines.ts";
import { mtuWarnings } from "./mtu.ts";
import { notInForce } from "./not-in-force.ts";
import { policyWarnings } from "./policies.ts";
import { poolWarnings } from "./pools.ts";
import { routedByVpc, routeWarnings } from "./routes.ts";
import type { Warning } from "./warning.ts";

/** All valid declarations that will not work, or not as expected; invalid ones are refused earlier. */
export function warningsOf(declared: Declared): Warning[] {
  const { clusters, resources } = declared;
  return [
    ...addressWarnings(declared),
    ...machineWarnings(declared),
    ...routeWarnings(resources),
    ...clusters.flatMap((cluster) => [
      ...balancerWarnings(cluster, resources),
      ...mtuWarnings(cluster),
      ...bgpWarnings(cluster, resources),
      ...poolWarnings(cluster, routedByVpc(resources)),
      ...policyWarnings(cluster),
      ...egressWarnings(cluster),
      ...notInForce(cluster),
    ]),
  ];
}
