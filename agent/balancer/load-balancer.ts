// This node's part of the load balancer, where Dataplane's loadBalancer is true.
import type { StreamingApi } from "../../kubernetes/transport.ts";
import type { Loaded } from "../kernel/load.ts";
import { sendFrame } from "../kernel/send-frame.ts";
import type { NodeNetwork } from "../machine/node-network.ts";
import type { Logger } from "../observe/log.ts";
import type { Counted } from "../observe/node-metrics.ts";
import type { AgentOptions } from "../options.ts";
import { ownNamespace } from "../own-namespace.ts";
import type { Dataplane } from "../pass/dataplane.ts";
import type { Rounds } from "../pass/rounds.ts";
import type { Ending } from "../process/ending.ts";
import type { Cluster } from "../watch/cluster.ts";
import { Balancer } from "./balancer.ts";

interface Parts {
  readonly options: AgentOptions;
  readonly network: NodeNetwork;
  readonly loaded: Loaded;
  readonly counted: Counted;
  readonly log: Logger;
}

/** Assigns and announces addresses until the process ends. @returns to be called before it ends: others then take over at once */
export function balanceLoad(
  { options, network, loaded, counted, log }: Parts,
  { store }: Cluster,
  api: StreamingApi,
  dataplane: Dataplane,
  rounds: Rounds,
): Ending {
  const balancer = new Balancer({
    ...{ node: options.node, namespace: ownNamespace(), api, store, log },
    map: loaded.maps.announced,
    uplinks: () => network.uplinkDevices,
    send: (ifindex, frame) => sendFrame(loaded.programFd("announce"), ifindex, frame),
    owner: () => {
      const own = store.list("nodes").find(({ metadata }) => metadata.name === options.node)?.metadata;
      return own?.uid ? { name: own.name, uid: own.uid } : undefined;
    },
    facts: dataplane.machine.facts,
    problemsChanged: () => rounds.trigger(),
  });
  dataplane.otherProblems.push(() => balancer.problems);
  counted.announced = () => balancer.announced.size;
  balancer.start();
  return () => balancer.end();
}
