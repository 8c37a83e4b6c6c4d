import type { CalicoPolicy, GlobalPolicy, World } from "./objects.ts";

/** Neither a flow log nor a preview has source ports, by which rules and the answers of fail-safe ports may be told. */
export function withoutSourcePorts(world: World): World {
  const isPlain = ({ spec: { ingress = [], egress = [] } }: CalicoPolicy | GlobalPolicy) =>
    ![...ingress, ...egress].some(({ source }) => source?.ports || source?.notPorts);
  return {
    ...world,
    calicoNetworkPolicies: world.calicoNetworkPolicies.filter(isPlain),
    globalNetworkPolicies: world.globalNetworkPolicies.filter(isPlain),
  };
}
