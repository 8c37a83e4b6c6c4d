// What happens to packets on this node, in readable form, at the agent's second socket: flows, and the steps of traced packets.
import { join } from "node:path";
import { flowLogSettings } from "../model/flow/settings.ts";
import { defaultConfiguration } from "../model/mode/configuration.ts";
import { isForLoadBalancers } from "../model/pool/uses.ts";
import type { Attachments } from "./attachments.ts";
import type { PolicyNames } from "./compile/desired.ts";
import { openEventRing } from "./kernel/event-ring.ts";
import type { Loaded, LoadedPrograms } from "./kernel/load.ts";
import { reportReader } from "./kernel/outcomes.ts";
import type { Pins } from "./kernel/pins.ts";
import type { Ending } from "./load-balancer.ts";
import { networkDevices } from "./network/devices.ts";
import { EventFeed } from "./observe/events/feed.ts";
import { Names } from "./observe/events/names.ts";
import { serveEvents } from "./observe/events/server.ts";
import { Ends } from "./observe/flows/ends.ts";
import { FlowLog } from "./observe/flows/flow-log.ts";
import { flowOfPacket } from "./observe/flows/live-connections.ts";
import { LogFiles } from "./observe/flows/log-files.ts";
import type { Logger } from "./observe/log.ts";
import { type AgentOptions, EVENT_SOCKET, runFile } from "./options.ts";
import { Tracer } from "./tracer.ts";
import type { SnapshotStore } from "./watch/snapshot-store.ts";

interface Programs {
  readonly loaded: Loaded;
  readonly pins: Pins;
  readonly attachments: Attachments;
  /** Loads the builds that report each step of a packet. */
  readonly loadTraced: () => LoadedPrograms;
}

/** @param policies names of the numbers that events carry
 * @returns to be called before the process ends: writes what the flow log holds */
export async function servePacketEvents(
  options: AgentOptions,
  { loaded, pins, attachments, loadTraced }: Programs,
  store: SnapshotStore,
  policies: () => PolicyNames,
  log: Logger,
): Promise<Ending> {
  const objects = () => ({ nodes: store.list("nodes"), pods: store.list("pods"), services: store.list("services") });
  const feed = new EventFeed(
    loaded.maps.listeners,
    (receive) => openEventRing(pins, receive),
    (message) => log.error(message),
  );
  const tracer = new Tracer({ traces: loaded.maps.traces, attachments, loadTraced, ordinary: loaded });
  const context = {
    node: options.node,
    names: new Names(objects, policies),
    wallClock: (time: bigint) => Date.now() - Number((process.hrtime.bigint() - time) / 1_000_000n),
    deviceName: deviceNames(),
  };
  const files = new LogFiles(join(options.logDirectory, "flows"));
  const { endpoints } = loaded.maps;
  const flowLog = new FlowLog({
    ...context,
    settings: () => flowLogSettings(defaultConfiguration(store.list("felixConfigurations"))),
    ends: new Ends(() => ({ ...objects(), namespaces: store.list("namespaces") })),
    policyOf: (address) => {
      const policy = endpoints.lookup(address)?.policy;
      return policy ? context.names.policy(policy) : undefined;
    },
    flowOf: (packet) => flowOfPacket(loaded.maps, packet),
    pools: () =>
      store.list("ipPools").flatMap((pool) => (isForLoadBalancers(pool) || pool.spec.disabled ? [] : [pool.spec.cidr])),
    feed,
    tables: loaded.maps,
    reports: reportReader(pins),
    files,
    log,
  });
  await serveEvents(runFile(options, EVENT_SOCKET), feed, tracer, context, { flowLog, files });
  return () => flowLog.close();
}

// The lookup costs a process, and an index is not reused for another device.
function deviceNames(): (ifindex: number) => string {
  const known = new Map<number, string>();
  return (ifindex) => {
    if (!known.has(ifindex)) for (const { ifindex: index, name } of networkDevices()) known.set(index, name);
    return known.get(ifindex) ?? `interface ${ifindex}`;
  };
}
