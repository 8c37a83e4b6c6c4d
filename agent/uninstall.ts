import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { EndpointStore } from "./cni/endpoint-store.ts";
import { uninstallPlugin } from "./cni/install.ts";
import { deleteVeth } from "./cni/veth.ts";
import { detachAll } from "./kernel/attach.ts";
import { becomeOnlyWriter } from "./kernel/lock.ts";
import { pinsUnder } from "./kernel/pins.ts";
import { networkDevices } from "./network/devices.ts";
import { ipBatch } from "./network/ip-command.ts";
import { removeNeighbours } from "./network/neighbours.ts";
import { removeMasquerade } from "./network/older-masquerade.ts";
import { removeOwnRequests } from "./network/own-requests.ts";
import { removeLearnedRoutes, removeRoutes } from "./network/routes.ts";
import { restoreSysctls } from "./network/sysctls.ts";
import { TUNNEL_DEVICE } from "./network/tunnel.ts";
import { removeWireguard } from "./network/wireguard.ts";
import type { Logger } from "./observe/log.ts";
import {
  type AgentOptions,
  BIRD_FILE,
  BIRD_SOCKET,
  EVENT_SOCKET,
  HEALTH_CHECKS_FILE,
  MAP_SIZES_FILE,
  NAMES_FILE,
  runFile,
  SALT_FILE,
  shimPath,
  WIREGUARD_FILE,
} from "./options.ts";

/** Removes the dataplane from this node, in the reverse order of an agent's start. Succeeds if nothing
 * exists. Pods of this node lose their network. */
export async function uninstall(options: AgentOptions, log: Logger): Promise<void> {
  if (existsSync(options.runDirectory)) {
    await becomeOnlyWriter(runFile(options, "agent.lock"), () => log.info("waiting for this node's agent to end"));
  }
  uninstallPlugin({ binary: shimPath(), binFolder: options.cniBin, confFolder: options.cniConf });
  detachAll(pinsUnder(options.pinRoot), networkDevices());
  for (const endpoint of new EndpointStore(runFile(options, "endpoints.json")).list())
    await deleteVeth(endpoint.hostInterface);
  removeMasquerade();
  await removeRoutes();
  await removeOwnRequests(existsSync("/proc/net/if_inet6") ? ["IPv4", "IPv6"] : ["IPv4"]);
  if (existsSync(runFile(options, BIRD_FILE))) removeLearnedRoutes();
  removeNeighbours();
  if (networkDevices().some(({ name }) => name === TUNNEL_DEVICE)) ipBatch([`link delete dev ${TUNNEL_DEVICE}`]);
  removeWireguard(networkDevices());
  restoreSysctls(runFile(options, "sysctls.json"), options.sysctlRoot);
  for (const name of [
    "endpoints.json",
    "agent.sock",
    "agent.lock",
    "verifier.log",
    BIRD_FILE,
    BIRD_SOCKET,
    EVENT_SOCKET,
    HEALTH_CHECKS_FILE,
    MAP_SIZES_FILE,
    NAMES_FILE,
    SALT_FILE,
    WIREGUARD_FILE,
  ])
    rmSync(runFile(options, name), { force: true });
  rmSync(join(options.logDirectory, "flows"), { recursive: true, force: true });
  log.info("the dataplane was removed from this node");
}
