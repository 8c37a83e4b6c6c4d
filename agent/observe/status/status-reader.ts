import { statSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { defaultConfiguration, modeOf } from "../../../model/mode/configuration.ts";
import type { PoolUse } from "../../../model/pool/use.ts";
import type { EndpointStore } from "../../cni/endpoint-store.ts";
import type { Encryption } from "../../encryption/encryption.ts";
import { maps } from "../../kernel/layout.gen.ts";
import { type OutcomeTotals, outcomeReader } from "../../kernel/outcomes.ts";
import type { Pins } from "../../kernel/pins.ts";
import type { NodeNetwork } from "../../machine/node-network.ts";
import type { AgentOptions } from "../../options.ts";
import type { Dataplane } from "../../pass/dataplane.ts";
import type { Rounds } from "../../pass/rounds.ts";
import type { Attachments } from "../../programs/attachments.ts";
import type { UplinkCards } from "../../programs/uplink-cards.ts";
import type { Tables } from "../../tables/tables.ts";
import type { Cluster } from "../../watch/cluster.ts";
import type { Health } from "../health.ts";
import { wordsOf } from "../outcome-words.ts";
import type { NodeStatus } from "./node-status.ts";

interface Prepared {
  readonly options: Pick<AgentOptions, "node">;
  readonly pins: Pins;
  readonly health: Pick<Health, "reasons">;
  readonly endpoints: Pick<EndpointStore, "list">;
  readonly network: Pick<NodeNetwork, "podMtu">;
  readonly tables: Pick<Tables, "all">;
  readonly hostLocal: boolean;
}

interface Running {
  readonly cluster: Pick<Cluster, "store">;
  readonly dataplane: Pick<Dataplane, "closedPolicies" | "closedServices">;
  readonly rounds: Pick<Rounds, "sinceSync" | "waitingMs">;
  readonly attachments: Pick<Attachments, "method">;
  readonly encryption: Pick<Encryption, "status">;
  readonly cards: Pick<UplinkCards, "status">;
  readonly pools: () => readonly PoolUse[];
}

/** Reads the state of this node from the parts of its agent. */
export function statusReader(
  { options, pins, health, endpoints, network, tables, hostLocal }: Prepared,
  { cluster: { store }, dataplane, rounds, attachments, encryption, cards, pools }: Running,
): () => NodeStatus {
  const startedAt = new Date(Date.now() - process.uptime() * 1000);
  const outcomes = outcomeReader(pins);
  return () => {
    const { serviceHandling, returnMode } = modeOf(defaultConfiguration(store.list("felixConfigurations")));
    const { sinceSync, waitingMs } = rounds;
    return {
      node: options.node,
      kernel: release(),
      startedAt: startedAt.toISOString(),
      attach: attachments.method,
      serviceHandling,
      returnMode,
      ipam: hostLocal ? "HostLocal" : "Pools",
      notReady: [...health.reasons()],
      syncedSecondsAgo: sinceSync === undefined ? null : seconds(sinceSync),
      waitingSeconds: seconds(waitingMs),
      failingWatches: [...store.failing()],
      endpoints: endpoints.list().length,
      podMtu: network.podMtu,
      encryption: encryption.status(Date.now()) ?? null,
      xdp: cards.status(),
      closed: { policies: dataplane.closedPolicies, services: dataplane.closedServices },
      refused: refusedPackets(outcomes()),
      // A pin is as old as its map: the counters began with it.
      countedSince: statSync(join(pins.maps, maps.outcomes.name)).mtime.toISOString(),
      tables: tables.all().map(({ name, entries, capacity }) => ({ name, entries, capacity })),
      pools: pools().map(({ pool, cidr, all, claimed, used }) => ({ pool, cidr, all, claimed, used })),
    };
  };
}

const seconds = (ms: number) => Math.round(ms) / 1000;

function refusedPackets(totals: OutcomeTotals): Record<string, number> {
  const refused = [...totals].filter(([name, { packets }]) => packets > 0n && wordsOf(name).verdict !== "passed");
  return Object.fromEntries(refused.map(([name, { packets }]) => [name, Number(packets)]));
}
