import type { Pod } from "../../model/objects/core.ts";
import { EndpointStore } from "../cni/endpoint-store.ts";
import { lostEndpoints } from "../cni/recovery.ts";
import { interfaceIndex } from "../kernel/interface-names.ts";
import type { MapStores } from "../kernel/map-store.ts";
import { networkDevices } from "../network/devices.ts";
import type { Logger } from "../observe/log.ts";

/** The endpoints of the previous agent, except those whose interface no longer exists, for example after a reboot. */
export function readBack(file: string, log: Logger): EndpointStore {
  const endpoints = new EndpointStore(file);
  if (endpoints.damage) log.error(endpoints.damage);
  for (const one of endpoints.list()) {
    if (interfaceIndex(one.hostInterface) === one.ifindex) continue;
    log.info(`the interface of ${one.namespace}/${one.pod} does not exist: its endpoint is removed`);
    written(log, () => endpoints.remove(one));
  }
  return endpoints;
}

/** Endpoints that are only in the maps: without them their pods would lose their network and their policies. */
export function recover(
  { endpoints, loaded, log }: { endpoints: EndpointStore; loaded: { maps: MapStores }; log: Logger },
  pods: readonly Pod[],
): void {
  for (const one of lostEndpoints(endpoints, loaded.maps, pods, networkDevices())) {
    log.warn(`the endpoint of ${one.namespace}/${one.pod} was recovered from the maps: it is not in endpoints.json`);
    written(log, () => endpoints.add(one));
  }
}

// A full or read-only run folder does not prevent the start.
function written(log: Logger, write: () => void): void {
  try {
    write();
  } catch (error) {
    log.error(`endpoints.json was not updated: ${error instanceof Error ? error.message : error}`);
  }
}
