import { type ReturnMode, ServiceHandling } from "./args.ts";
import { felixConfiguration } from "./felix-configuration.ts";
import { isKubeProxyMode, type KubeProxyObjects, type KubeProxyOptions, kubeProxyObjects } from "./kube-proxy.ts";

type KubeProxyObject = KubeProxyObjects[keyof KubeProxyObjects];

/** The steps that hand over the services of a running cluster, in this order, so that services are handled at any time. */
export interface HandOver {
  /** Objects to apply first; the DaemonSet must be ready before the next step. */
  before: KubeProxyObject[];
  /** Objects to apply next; the agents react immediately. */
  configuration: ReturnType<typeof felixConfiguration>;
  /** Objects to delete last, in this order; missing ones are ignored. */
  after: KubeProxyObject[];
}

/** The steps that bring a cluster with this dataplane to `handling`, whatever handles its services now. */
export function handOver(handling: ServiceHandling, returnMode: ReturnMode, options: KubeProxyOptions): HandOver {
  const configuration = felixConfiguration(returnMode, handling);
  if (isKubeProxyMode(handling)) {
    return { before: Object.values(kubeProxyObjects(handling, options)), configuration, after: [] };
  }
  // The mode does not matter: the objects have the same names.
  const objects = kubeProxyObjects(ServiceHandling.KubeProxyIptables, options);
  return { before: [], configuration, after: Object.values(objects).reverse() };
}
