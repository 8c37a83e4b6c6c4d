import { overheadOf } from "../../model/pool/encapsulation.ts";
import type { Cluster } from "../declared/cluster.ts";
import type { Warning } from "./warning.ts";

/** MTU of the nodes' interfaces, if known from the kind of cluster: veth pairs of a lab, and EC2 inside a VPC. */
const CARRIED = { local: 1500, aws: 9001, existing: undefined };

/** The minimum that IPv6 and other software require (RFC 8200). */
const LEAST = 1280;

/** Packets that would be too large. */
export function mtuWarnings({ kind, dataplane }: Cluster): Warning[] {
  const { mtu, pools = [] } = dataplane ?? {};
  if (mtu === undefined) return [];
  const carried = CARRIED[kind];
  const about = "Dataplane mtu";
  if (carried !== undefined && mtu > carried) {
    const what = `it is ${mtu}, but the nodes' interfaces carry ${carried} bytes: larger packets are lost`;
    return [{ about, what, next: `omit mtu, or set it to at most ${carried}` }];
  }
  // Nodes with IPv6 alone have no IPv4 pool.
  const outer = pools.every(({ cidr }) => cidr.includes(":")) ? "IPv6" : "IPv4";
  const wrapped = pools.filter(({ mode }) => mode !== "Never");
  const encapsulation = wrapped.every((pool) => pool.encapsulation === "IPIP") ? "IPIP" : "VXLAN";
  const overhead = overheadOf(encapsulation, outer);
  const inPods = mtu - overhead;
  if (inPods >= LEAST || wrapped.length === 0) return [];
  const what = `${mtu} minus the ${overhead} of ${encapsulation} leaves pods ${inPods} bytes, less than the ${LEAST} that IPv6 requires`;
  return [{ about, what, next: `set it to at least ${LEAST + overhead}` }];
}
