// What happens to packets on this node, in readable form, at the agent's second socket: flows, and the steps of traced packets.

import { keepsFlowHistory } from "../../../model/flow/settings.ts";
import { defaultConfiguration } from "../../../model/mode/configuration.ts";
import type { InForceNow, PolicyNames } from "../../compile/desired.ts";
import { openEventRing } from "../../kernel/event-ring.ts";
import { interfaceName } from "../../kernel/interface-names.ts";
import type { Loaded, LoadedPrograms } from "../../kernel/load.ts";
import type { Pins } from "../../kernel/pins.ts";
import { interfaceTowards } from "../../network/routes.ts";
import { type AgentOptions, EVENT_SOCKET, runFile } from "../../options.ts";
import type { Ending } from "../../process/ending.ts";
import type { Attachments } from "../../programs/attachments.ts";
import { Tracer } from "../../programs/tracer.ts";
import type { SnapshotStore } from "../../watch/snapshot-store.ts";
import { Explainer } from "../explain/explainer.ts";
import { keepFlowLog } from "../flows/flow-logging.ts";
import type { Logger } from "../log.ts";
import { EventFeed } from "./feed.ts";
import { keepHistory } from "./keep-history.ts";
import { Names } from "./names.ts";
import { logPolicies } from "./policy-log.ts";
import { type Answers, serveEvents } from "./server.ts";

interface Programs {
  readonly loaded: Loaded;
  readonly pins: Pins;
  readonly attachments: Attachments;
  /** Loads the builds that report each step of a packet. */
  readonly loadTraced: () => LoadedPrograms;
}

/** @param policies names and contents of the numbers in maps and events, and whether a Log rule is in force @returns to be called before
 * the process ends: writes what the flow log has not written yet */
export async function servePacketEvents(
  options: AgentOptions,
  { loaded, pins, attachments, loadTraced }: Programs,
  store: SnapshotStore,
  policies: {
    readonly numbers: { readonly names: PolicyNames };
    readonly inForce: InForceNow;
  },
  answers: Omit<Answers, "explainer">,
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
    names: new Names(objects, () => policies.numbers.names),
    contents: () => policies.inForce.contents,
    wallClock: (time: bigint) => Date.now() - Number((process.hrtime.bigint() - time) / 1_000_000n),
    deviceName: deviceNames(),
  };
  const { names, wallClock } = context;
  const kept = keepFlowLog({
    ...{ options, loaded, pins, store, names, feed, wallClock, log },
    node: () => policies.inForce.node,
  });
  const { contents } = context;
  const explainer = new Explainer({
    node: options.node,
    maps: loaded.maps,
    towards: interfaceTowards,
    contents,
    names,
  });
  const naming = { context: { ...context, workload: kept.workload }, staged: kept.staged };
  const isWanted = () => keepsFlowHistory(defaultConfiguration(store.list("felixConfigurations")));
  const { history, end: endHistory } = keepHistory({ ...naming, feed, isWanted });
  const shown = { ...kept, history };
  await serveEvents(runFile(options, EVENT_SOCKET), feed, tracer, naming.context, shown, { ...answers, explainer });
  const endPolicyLog = logPolicies({ feed, context, log, isWanted: () => policies.inForce.logs });
  return () => {
    endPolicyLog();
    endHistory();
    return kept.flowLog.close();
  };
}

// An index is not reused for another device, and events may name devices that no longer exist.
function deviceNames(): (ifindex: number) => string {
  const known = new Map<number, string>();
  return (ifindex) => {
    const name = known.get(ifindex) ?? interfaceName(ifindex);
    if (name !== undefined) known.set(ifindex, name);
    return name ?? `interface ${ifindex}`;
  };
}
