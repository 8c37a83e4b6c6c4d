import { covers, parseCidr } from "../../model/address/address.ts";
import type { FlowEnd } from "../../model/flow/record.ts";
import type { SeenFlow } from "../../model/flow/seen.ts";
import { containerPorts } from "../../model/policy/identity.ts";
import { portName } from "../../model/policy/judge.ts";
import { protocolNumbers } from "../../model/protocol.ts";
import { type Cast, podOf } from "../reach/cast.ts";
import type { ReachChange } from "../reach/changes.ts";
import type { Peer, Target } from "../reach/reachability.ts";
import { peersOf, targetsOf } from "../reach/table.ts";

/** Whether a flow is one of a sender and a destination of the reachability table. */
export function usedPair(cast: Cast, { from, to }: Pick<ReachChange, "from" | "to">, flow: SeenFlow): boolean {
  const peers = peersOf(cast).filter(({ name }) => name === from);
  const targets = targetsOf(cast).filter(({ name }) => name === to);
  return (
    peers.some(({ peer }) => isFrom(peer, flow.from, cast)) &&
    targets.some((target) => target.targets.some((one) => isTo(one, flow)))
  );
}

function isFrom(peer: Peer, end: FlowEnd, { workloads }: Cast): boolean {
  switch (peer.kind) {
    case "nodes":
      return end.kind === "node";
    case "workload":
      return end.kind === "pods" && isOf(end, peer.workload);
    case "stranger":
      return end.kind === "pods" && !workloads.some((one) => isOf(end, one));
    case "address":
      return (
        end.kind === "network" && parseCidr(end.cidr).text === parseCidr(`${peer.address}/${length(peer.address)}`).text
      );
    case "blocks":
      return end.kind === "network" && peer.cidrs.some((cidr) => covers(parseCidr(cidr), parseCidr(end.cidr)));
  }
}

const length = (address: string): number => (address.includes(":") ? 128 : 32);

function isOf(
  end: Extract<FlowEnd, { kind: "pods" }>,
  { namespace, name }: { namespace: string; name: string },
): boolean {
  return end.namespace === namespace && end.workload === name;
}

function isTo({ workload, protocol, port }: Target, flow: SeenFlow): boolean {
  if (flow.to.kind !== "pods" || !isOf(flow.to, workload) || flow.protocol !== protocol) return false;
  const number =
    typeof port === "number" ? port : containerPorts(podOf(workload)).get(portName(protocolNumbers[protocol], port));
  return number === flow.port;
}
