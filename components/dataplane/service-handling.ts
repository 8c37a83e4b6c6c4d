import { type ReturnMode, ServiceHandling } from "./args.ts";
import { felixConfiguration } from "./felix-configuration.ts";
import { isKubeProxyMode, type KubeProxyObjects, type KubeProxyOptions, kubeProxyObjects } from "./kube-proxy.ts";

type KubeProxyObject = KubeProxyObjects[keyof KubeProxyObjects];

/** How services of a running cluster are handed over, in this order, so that they are handled at any time. */
export interface HandOver {
  /** To be applied, and to be ready (the DaemonSet) before what follows. */
  before: KubeProxyObject[];
  /** To be applied then: the agents follow it at once. */
  configuration: ReturnType<typeof felixConfiguration>;
  /** To be deleted at last, in this order; what is not there is fine. */
  after: KubeProxyObject[];
}

/** What leads a cluster with this dataplane, however its services are handled now, to `handling`. */
export function handOver(handling: ServiceHandling, returnMode: ReturnMode, options: KubeProxyOptions): HandOver {
  const configuration = felixConfiguration(returnMode, handling);
  if (isKubeProxyMode(handling)) {
    return { before: Object.values(kubeProxyObjects(handling, options)), configuration, after: [] };
  }
  // Which of its modes does not matter: the objects have the same names.
  const objects = kubeProxyObjects(ServiceHandling.KubeProxyIptables, options);
  return { before: [], configuration, after: Object.values(objects).reverse() };
}
