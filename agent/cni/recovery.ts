import type { Pod } from "../../model/objects/core.ts";
import { ownAddresses } from "../../model/objects/pod-of.ts";
import type { MapStores } from "../kernel/map-store.ts";
import { addressesOfWorkload } from "../kernel/workload.ts";
import type { NetworkDevice } from "../network/devices.ts";
import type { Endpoint, EndpointStore } from "./endpoint-store.ts";

/** Endpoints that are in the maps but not in the store, because its file was lost or damaged: their interfaces
 * exist, so their pods run. They are matched to the pods that have their addresses. The container's id is unknown, but
 * the interface's name is derived from it. */
export function lostEndpoints(
  store: Pick<EndpointStore, "list">,
  maps: Pick<MapStores, "interfaces" | "endpoints">,
  pods: readonly Pod[],
  devices: readonly NetworkDevice[],
): Endpoint[] {
  const known = new Set(store.list().map(({ ifindex }) => ifindex));
  const names = new Map(devices.map(({ ifindex, name }) => [ifindex, name]));
  const owners = new Map(pods.flatMap((pod) => ownAddresses(pod).map((address) => [address, pod] as const)));
  return maps.interfaces.entries().flatMap(([ifindex, workload]) => {
    const [address = "", secondAddress] = addressesOfWorkload(workload);
    const hostInterface = names.get(ifindex);
    const entry = maps.endpoints.lookup(address);
    const pod = owners.get(address);
    if (known.has(ifindex) || !hostInterface || entry?.ifindex !== ifindex || !pod) return [];
    const { mac, hostMac } = entry;
    const { namespace = "default", name } = pod.metadata;
    const container = { containerId: `recovered-${hostInterface}`, ifname: "eth0", netns: "" };
    return [
      {
        ...container,
        namespace: namespace ?? "default",
        pod: name,
        uid: "",
        address,
        ...(secondAddress && { secondAddress }),
        mac,
        hostMac,
        hostInterface,
        ifindex,
      },
    ];
  });
}
