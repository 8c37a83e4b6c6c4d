import { statSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { defaultConfiguration, modeOf } from "../model/mode/configuration.ts";
import type { Attachments } from "./attachments.ts";
import type { Cluster } from "./cluster.ts";
import type { EndpointStore } from "./cni/endpoint-store.ts";
import type { Dataplane } from "./dataplane.ts";
import { maps } from "./kernel/layout.gen.ts";
import { outcomeReader } from "./kernel/outcomes.ts";
import type { Pins } from "./kernel/pins.ts";
import type { NodeNetwork } from "./node-network.ts";
import type { Health } from "./observe/health.ts";
import type { NodeStatus } from "./observe/status/node-status.ts";
import { readStatus } from "./observe/status/read-status.ts";
import type { AgentOptions } from "./options.ts";
import { poolUseReader } from "./pools.ts";
import type { Rounds } from "./rounds.ts";
import type { Tables } from "./tables.ts";

interface Prepared {
  readonly options: Pick<AgentOptions, "node">;
  readonly pins: Pins;
  readonly health: Pick<Health, "reasons">;
  readonly endpoints: Pick<EndpointStore, "list">;
  readonly network: Pick<NodeNetwork, "podMtu">;
  readonly tables: Pick<Tables, "all">;
}

interface Running {
  readonly cluster: Pick<Cluster, "store">;
  readonly dataplane: Pick<Dataplane, "closedPolicies" | "closedServices">;
  readonly rounds: Pick<Rounds, "sinceSync" | "waitingMs">;
  readonly attachments: Pick<Attachments, "method">;
}

/** Reads how this node is, from the parts of its agent. */
export function statusReader(
  { options, pins, health, endpoints, network, tables }: Prepared,
  { cluster: { store }, dataplane, rounds, attachments }: Running,
): () => NodeStatus {
  const startedAt = new Date(Date.now() - process.uptime() * 1000);
  const [outcomes, pools] = [outcomeReader(pins), poolUseReader(store)];
  return () =>
    readStatus({
      node: options.node,
      kernel: release(),
      startedAt,
      attach: () => attachments.method,
      mode: () => modeOf(defaultConfiguration(store.list("felixConfigurations"))),
      notReady: () => health.reasons(),
      sinceSync: () => rounds.sinceSync,
      waitingMs: () => rounds.waitingMs,
      failingWatches: () => store.failing(),
      endpoints: () => endpoints.list().length,
      podMtu: () => network.podMtu,
      closed: () => ({ policies: dataplane.closedPolicies, services: dataplane.closedServices }),
      outcomes,
      // A pin is as old as its map: the counters began with it.
      countedSince: () => statSync(join(pins.maps, maps.outcomes.name)).mtime,
      tables: tables.all,
      pools,
    });
}
