import type { EndpointLife } from "../cni/plugin.ts";
import { CniCode, CniError } from "../cni/request.ts";
import type { NodeNetwork } from "../machine/node-network.ts";
import type { Dataplane } from "../pass/dataplane.ts";
import type { Rounds } from "../pass/rounds.ts";
import type { Attachments } from "../programs/attachments.ts";

// The pod's object may arrive after kubelet's call, and an API server may be unavailable for a while.
const PATIENCE = 60_000;

export interface EndpointLifeParts {
  readonly network: Pick<NodeNetwork, "prepare">;
  readonly attachments: Pick<Attachments, "expectNew" | "newEndpoint" | "endpoint" | "gone">;
  readonly dataplane: Pick<Dataplane, "gate" | "endpointsChanged">;
  readonly rounds: Pick<Rounds, "trigger">;
}

/** The steps between creating and opening a pod's interface: programs first, then policy, then traffic. */
export function endpointLife({ network, attachments, dataplane, rounds }: EndpointLifeParts): EndpointLife {
  const changed = () => {
    dataplane.endpointsChanged();
    rounds.trigger();
  };
  return {
    begins: () => attachments.expectNew(),
    created: (device, setUp) => attachments.newEndpoint(device, setUp),
    async ready(endpoint) {
      network.prepare(endpoint.hostInterface);
      attachments.endpoint(endpoint);
      changed();
      await dataplane.gate.endpointReady(endpoint, AbortSignal.timeout(PATIENCE)).catch(() => {
        throw new CniError(
          CniCode.TRY_AGAIN_LATER,
          `The policy of ${endpoint.namespace}/${endpoint.pod} was not written within ${PATIENCE / 1000} s.`,
          "next: check the log of this node's agent for the pod and for failed writes",
        );
      });
    },
    gone(endpoint) {
      attachments.gone(endpoint);
      changed();
    },
  };
}
