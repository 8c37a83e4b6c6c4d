import { VXLAN_OVERHEAD } from "../../model/pool/encapsulation.ts";
import type { Cluster } from "../declared/cluster.ts";
import type { Warning } from "./warning.ts";

/** What the nodes' interfaces carry, in bytes, where the kind of cluster tells: veth pairs of a lab, and EC2 inside a VPC. */
const CARRIED = { local: 1500, aws: 9001, existing: undefined };

/** The least that IPv6, and much else, takes for granted (RFC 8200). */
const LEAST = 1280;

/** Packets that will not fit. */
export function mtuWarnings({ kind, dataplane }: Cluster): Warning[] {
  const { mtu, pools = [] } = dataplane ?? {};
  if (mtu === undefined) return [];
  const carried = CARRIED[kind];
  const about = "Dataplane mtu";
  if (carried !== undefined && mtu > carried) {
    const what = `it is ${mtu}, and the nodes' interfaces carry ${carried} bytes: larger packets are lost`;
    return [{ about, what, next: `leave mtu out, or set it to ${carried} at most` }];
  }
  const inPods = mtu - VXLAN_OVERHEAD;
  if (inPods >= LEAST || pools.every(({ vxlanMode }) => vxlanMode === "Never")) return [];
  const what = `${mtu} less the ${VXLAN_OVERHEAD} of VXLAN leaves pods ${inPods} bytes, less than the ${LEAST} that IPv6 takes for granted`;
  return [{ about, what, next: `set it to ${LEAST + VXLAN_OVERHEAD} at least` }];
}
