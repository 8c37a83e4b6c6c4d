// The parts of this node's flow log: what it reads of the cluster, the maps and the packet path.
import { join } from "node:path";
import type { Address } from "../../../model/address/address.ts";
import { flowLogSettings } from "../../../model/flow/settings.ts";
import { defaultConfiguration } from "../../../model/mode/configuration.ts";
import type { JudgedNode } from "../../compile/desired.ts";
import type { Loaded } from "../../kernel/load.ts";
import { reportReader } from "../../kernel/outcomes.ts";
import type { Pins } from "../../kernel/pins.ts";
import type { AgentOptions } from "../../options.ts";
import type { SnapshotStore } from "../../watch/snapshot-store.ts";
import type { EventFeed } from "../events/feed.ts";
import type { Names } from "../events/names.ts";
import { ServiceEndpoints } from "../events/service-endpoints.ts";
import type { Logger } from "../log.ts";
import { Ends } from "./ends.ts";
import { FlowLog } from "./flow-log.ts";
import { nodeInLog } from "./judged-node.ts";
import { flowOfPacket } from "./live-connections.ts";
import { LogFiles } from "./log-files.ts";
import { StagedVerdicts } from "./staged-verdicts.ts";
import { poolsOf, stagingBy } from "./staging.ts";

interface Parts {
  readonly options: Pick<AgentOptions, "node" | "logDirectory">;
  readonly loaded: Pick<Loaded, "maps">;
  readonly pins: Pins;
  readonly store: Pick<SnapshotStore, "list">;
  readonly names: Names;
  readonly feed: EventFeed;
  readonly wallClock: (time: bigint) => number;
  readonly log: Logger;
  /** The node itself, as policies see it now. */
  readonly node: () => JudgedNode | undefined;
}

export function keepFlowLog({ options, loaded, pins, store, names, feed, wallClock, log, node }: Parts) {
  const files = new LogFiles(join(options.logDirectory, "flows"));
  const { maps } = loaded;
  const ends = new Ends(() => ({
    ...{ nodes: store.list("nodes"), pods: store.list("pods"), services: store.list("services") },
    ...{ namespaces: store.list("namespaces"), serviceAccounts: store.list("serviceAccounts") },
    own: node()?.facts,
  }));
  const staging = stagingBy(store, node);
  const flowLog = new FlowLog({
    ...{ node: options.node, names, feed, wallClock, files, log },
    settings: () => flowLogSettings(defaultConfiguration(store.list("felixConfigurations"))),
    ends,
    flowOf: (packet) => flowOfPacket(maps, packet),
    pools: () => poolsOf(store),
    host: () => nodeInLog(node(), store.list("nodes")),
    staging,
    tables: maps,
    reports: reportReader(pins),
  });
  const endpoints = new ServiceEndpoints(() => store.list("endpointSlices"));
  return {
    ...{ flowLog, files, staged: new StagedVerdicts({ node: options.node, ends, staging }) },
    endpoints: (service: string) => endpoints.of(service),
    workload: (address: Address) => {
      const end = ends.inside(address)?.end;
      return end?.kind === "pods" ? end.workload : undefined;
    },
  };
}
