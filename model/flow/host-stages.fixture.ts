// A node whose host endpoints are asked about flows.
import { nodeDirectory } from "../node/nodes.ts";
import { schemas } from "../objects/schemas.ts";
import { failsafesOf } from "../policy/failsafes.ts";
import { HostDirectories } from "../policy/host-directory.ts";
import type { NodeHosts } from "./host-stages.ts";

export const MASTER = "172.31.1.8";
export const uplinks = [{ name: "eth0", ifindex: 2, addresses: [MASTER] }];

const automatic = schemas.kubeControllersConfigurations.parse({
  metadata: { name: "default" },
  spec: { controllers: { node: { hostEndpoint: { autoCreate: "Enabled" } } } },
});
const node = schemas.nodes.parse({
  metadata: { name: "master", labels: { role: "db" } },
  status: { addresses: [{ type: "InternalIP", address: MASTER }] },
});
export const endpoint = (interfaceName: string) =>
  schemas.hostEndpoints.parse({
    metadata: { name: interfaceName, labels: { role: "db" } },
    spec: { node: "master", interfaceName },
  });

/** The node master with an automatic host endpoint, or others. */
export function hostsOf(
  rest: Partial<NodeHosts> = {},
  objects: object = { kubeControllersConfigurations: [automatic] },
): NodeHosts {
  const own = rest.uplinks ?? uplinks;
  const facts = { nodeName: "master", address: MASTER, subnets: [], localAddresses: [], serviceSubnet: "10.96.0.0/12" };
  const directory = new HostDirectories().of({ nodes: [node], ...objects }, nodeDirectory([node], facts), own);
  const failsafes = failsafesOf(undefined, {});
  return { directory, failsafes, toHost: "Accept", wraps: "always", pools: ["10.244.0.0/16"], ...rest, uplinks: own };
}
