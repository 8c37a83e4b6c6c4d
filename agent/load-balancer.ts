// This node's part of the load balancer, where Dataplane's loadBalancer is true.
import { AGENT } from "../components/dataplane/names.ts";
import type { Api } from "../kubernetes/transport.ts";
import { Balancer } from "./balancer/balancer.ts";
import type { Cluster } from "./cluster.ts";
import type { Dataplane } from "./dataplane.ts";
import type { Loaded } from "./kernel/load.ts";
import { sendFrame } from "./kernel/send-frame.ts";
import type { NodeNetwork } from "./node-network.ts";
import type { Logger } from "./observe/log.ts";
import type { AgentOptions } from "./options.ts";
import type { Rounds } from "./rounds.ts";

interface Parts {
  readonly options: AgentOptions;
  readonly network: NodeNetwork;
  readonly loaded: Loaded;
  readonly log: Logger;
}

/** Assigns and announces addresses until the process ends. */
export function balanceLoad(
  { options, network, loaded, log }: Parts,
  { store }: Cluster,
  api: Api,
  dataplane: Dataplane,
  rounds: Rounds,
): void {
  const balancer = new Balancer({
    ...{ node: options.node, namespace: AGENT, api, store, log },
    map: loaded.maps.announced,
    uplinks: () => network.uplinkDevices,
    send: (ifindex, frame) => sendFrame(loaded.programFd("announce"), ifindex, frame),
    facts: dataplane.facts,
    problemsChanged: () => rounds.trigger(),
  });
  dataplane.balancerProblems = () => balancer.problems;
  balancer.start();
}
