import type { V1Node } from "@kubernetes/client-node";
import type { PreflightPlan } from "../../components/documents/preflight.ts";
import { canonicalAddress } from "../../model/address/address.ts";
import { lookupIn } from "../../model/calico-selector/expression.ts";
import { fitting } from "../../model/calico-selector/fitting.ts";
import type { ClusterFacts } from "./facts.ts";
import { type Finding, ok, warning } from "./finding.ts";

const CHECK = "egress gateways";
const nameOf = ({ metadata }: V1Node): string => metadata?.name ?? "";

/** Gateways that no node can be, or whose address is another node's: what their pods send out would be dropped. Nodes and labels may
 * still come, so nothing is refused; and nodes need not be ready yet, as they have no network. @param nodes that get agents */
export function examineEgress(nodes: V1Node[], every: ClusterFacts["nodes"], plan: PreflightPlan): Finding[] {
  return plan.egressGateways.flatMap(({ name, nodeSelector, addresses }) => {
    const fits = fitting(nodeSelector);
    const selected = nodes.filter(({ metadata }) => fits(lookupIn(metadata?.labels ?? {}))).map(nameOf);
    if (selected.length === 0) {
      const found = `${name}: no node that gets an agent has the labels of its nodeSelector, so nothing leaves by it`;
      return [warning(CHECK, found, `label the nodes that may be it (nodeSelector is ${nodeSelector})`)];
    }
    const strange = addresses.flatMap((address) => {
      const owner = every.find((node) => has(node, address));
      if (!owner || selected.includes(nameOf(owner))) return [];
      const found = `${name}: ${address} is an address of ${nameOf(owner)}, which its nodeSelector does not select`;
      return [warning(CHECK, found, "choose an address of the gateway's node, or select that node")];
    });
    return strange.length > 0 ? strange : [ok(CHECK, `${name} can be any of these`, selected)];
  });
}

function has({ status }: V1Node, address: string): boolean {
  const wanted = canonicalAddress(address);
  return (status?.addresses ?? []).some((one) => wanted !== undefined && canonicalAddress(one.address) === wanted);
}
