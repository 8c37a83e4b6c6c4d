import type { Address } from "../../model/address/address.ts";
import type { KubeProxy } from "../../model/mode/configuration.ts";
import { SCTP } from "../../model/protocol.ts";
import { frontendText } from "../../model/service/frontend.ts";
import type { Lost } from "../../model/service/frontend-claims.ts";
import type { FrontendRule } from "../../model/service/frontends.ts";
import type { CompiledService } from "../../model/service/service.ts";

/** Where processes of the node reach Services and pods over SCTP, whose sockets are given no backend: their packets have to be led to the packet path. */
export interface OwnRequests {
  /** Of Services, without those of nodes; sorted. */
  readonly addresses: readonly Address[];
  /** Whether there are node ports or host ports: at this node's own addresses. */
  readonly atNode: boolean;
}

export function isOverSctp({ frontends }: CompiledService): boolean {
  return frontends.some(({ key }) => key.protocol === SCTP);
}

/** What is served over SCTP. */
export function sctpFrontends(
  compiled: readonly CompiledService[],
  lost: ReadonlyMap<CompiledService, Lost>,
): readonly FrontendRule[] {
  return compiled.flatMap((item) =>
    item.frontends.filter(
      ({ key, claim }) => key.protocol === SCTP && claim !== "health check" && !lost.get(item)?.has(frontendText(key)),
    ),
  );
}

export function ownRequests(frontends: readonly FrontendRule[], kubeProxy: KubeProxy): OwnRequests {
  const served = frontends.filter(({ claim }) => kubeProxy !== "active" || claim === "host port");
  const isAtNode = ({ claim }: FrontendRule) => claim === "node port" || claim === "host port";
  const addresses = served.filter((rule) => !isAtNode(rule)).map(({ key }) => key.address);
  return { addresses: [...new Set(addresses)].sort(), atNode: served.some(isAtNode) };
}
