// The suite of a connected cluster.
import { existsSync } from "node:fs";
import { findObject, listObjects, unlessMissing } from "../../kubernetes/get.ts";
import { type Kubeconfig, kubeconfigFile } from "../../kubernetes/kubeconfig.ts";
import type { Api } from "../../kubernetes/transport.ts";
import { kinds, resourcePath } from "../../model/objects/kinds.ts";
import { readView } from "../cluster/view.ts";
import { machineAddresses } from "../engine/lookup.ts";
import type { Machine } from "../engine/world.ts";
import type { Lab } from "../lab.ts";
import { proberImage } from "../probers/image.ts";
import { clusterSuite, type Suite } from "./cluster-suite.ts";
import { familiesOf, type SuiteClient, suiteFacts } from "./facts.ts";

/** What a suite is made for. */
export interface SuiteTarget {
  api: Api;
  config: Kubeconfig;
  lab: Lab;
  /** Machines that are reached over SSH. */
  remote: Machine[];
  /** Image of probers and of probe servers; absent: the agents'. */
  probeImage?: string;
}

/** @throws KubernetesError, NoNode */
export async function suiteOf({ api, config, lab, remote, probeImage }: SuiteTarget): Promise<Suite> {
  const [view, image, networks, pools] = await Promise.all([
    readView(api),
    proberImage(api, probeImage),
    // Since Kubernetes 1.33; without it the addresses that Services have must do.
    findObject<{ spec?: { cidrs?: string[] } }>(api, "/apis/networking.k8s.io/v1/servicecidrs/kubernetes"),
    unlessMissing(listObjects<{ spec: { cidr: string; natOutgoing?: boolean } }>(api, resourcePath(kinds.ipPools))),
  ]);
  const inLab = isOf(config, lab) ? lab.machines.filter(({ role }) => role === "client") : [];
  const client =
    (listens: boolean) =>
    (machine: Machine): SuiteClient => {
      const addresses = machineAddresses(machine);
      return { name: machine.name, addresses, families: familiesOf(addresses), listens };
    };
  const clients = [
    ...inLab.filter(({ name }) => !remote.some((one) => one.name === name)).map(client(true)),
    ...remote.map(client(false)),
  ];
  const settings = {
    clients,
    image,
    serviceNetworks: networks?.spec?.cidrs ?? [],
    pools: (pools ?? []).map(({ spec }) => spec),
  };
  return clusterSuite(suiteFacts(view, settings));
}

/** Whether a lab's machines are beside this cluster: with another kubeconfig they are somewhere else. */
function isOf(config: Kubeconfig, { kubeconfig }: Lab): boolean {
  // A lab that is gone may still be known by the path of its file.
  if (!kubeconfig || !existsSync(kubeconfig)) return false;
  const authority = ({ library, server }: Kubeconfig) => `${server} ${library.getCurrentCluster()?.caData}`;
  return authority(kubeconfigFile(kubeconfig)) === authority(config);
}
