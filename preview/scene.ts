import { POD_NETWORK } from "../components/documents/defaults.ts";
import { wrapsOf } from "../model/pool/encapsulation.ts";
import type { Cluster } from "./declared/cluster.ts";
import type { Machine } from "./declared/machines.ts";
import type { Host, Scene } from "./reach/cast.ts";

/** Sources and destinations on a cluster. */
export function sceneOf({ objects, clients, nodes, dataplane, subnets }: Cluster): Scene {
  const pools = dataplane?.pools.map(({ cidr }) => cidr) ?? [];
  return {
    objects,
    clients: clients.flatMap(hostOf),
    nodes: nodes.flatMap(hostOf),
    wraps: wrapsOf(dataplane?.pools.map(({ mode }) => mode) ?? []),
    pools: pools.length > 0 ? pools : [subnets?.pods ?? POD_NETWORK],
    keepsSource: dataplane?.serviceHandling === "Ebpf",
    // Every kubeadm cluster has it; for clusters without our dataplane nothing is known.
    nameService: dataplane !== undefined,
  };
}

function hostOf({ name, address, addressIpv6 }: Machine): Host[] {
  return address ? [{ name, address, addressIpv6 }] : [];
}
