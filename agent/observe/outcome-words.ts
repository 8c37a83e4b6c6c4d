import type { Outcome } from "../kernel/layout.gen.ts";

type OutcomeName = Lowercase<keyof typeof Outcome>;

/** The meaning of an outcome, for people. */
export interface OutcomeWords {
  readonly verdict: "passed" | "rejected" | "dropped";
  readonly text: string;
}

const passed = (text: string): OutcomeWords => ({ verdict: "passed", text });
const rejected = (text: string): OutcomeWords => ({ verdict: "rejected", text });
const dropped = (text: string): OutcomeWords => ({ verdict: "dropped", text });

/** Every outcome of bpf/shared/outcome.h. */
const outcomeWords: Readonly<Record<OutcomeName, OutcomeWords>> = {
  pass_to_stack: passed("passed to the kernel's network stack"),
  to_endpoint: passed("delivered to a workload of this node"),
  to_network: passed("sent out of an uplink"),
  to_overlay: passed("encapsulated for a workload of another node, or for its egress gateway"),
  forward_service: passed("entry node: encapsulated for the backend's node"),
  return_direct: passed("backend's node: reply straight to the client"),
  return_via_entry: passed("backend's node: reply encapsulated for the entry node"),
  return_forwarded: passed("entry node: reply passed on to the client"),
  reject_no_backend: rejected("the service has no backend"),
  reject_gone: rejected("the connection's backend is gone"),
  reject_no_service: rejected("no service has this port of the cluster address"),
  drop_policy_ingress: dropped("an ingress policy of the receiving workload does not allow it"),
  drop_policy_egress: dropped("an egress policy of the sending workload does not allow it"),
  drop_no_local_backend: dropped("the service requires a backend on this node, and there is none"),
  drop_unknown_endpoint: dropped("no workload or service is known at this address or interface"),
  drop_spoofed_source: dropped("the sender used an address that is not its own"),
  drop_unknown_tunnel_peer: dropped("encapsulated by a sender that is not a node of this cluster"),
  drop_malformed: dropped("malformed"),
  drop_fragment: dropped("a later fragment without its first fragment"),
  drop_unsupported: dropped("a protocol that is not supported for workloads"),
  drop_connection_table_full: dropped("the connection table is full"),
  drop_port_collision: dropped("no free source port for two flows of one client that collide at one backend"),
  drop_no_route: dropped("no route to the backend's node"),
  drop_martian_source: dropped("from the network, with a source address that is not valid there"),
  drop_unrelated: dropped(
    "an ICMP error, or an encapsulated reply, that belongs to no live connection; for a moment of an upgrade, also packets of connections that are not taken over yet",
  ),
  drop_tagged: dropped("a workload sent a frame with a VLAN tag"),
  drop_tunnel_from_workload: dropped("a workload, or a process of the node, sent to the tunnel's port"),
  drop_source_range: dropped("the client is in none of the loadBalancerSourceRanges of the load balancer's address"),
  answer_neighbour: passed("a request for the hardware address of a load balancer's address was answered"),
  drop_address_claim: dropped("another host claims a load balancer's address that this node announces"),
  drop_sctp_fragment: dropped("a fragment of SCTP to another port: its checksum cannot be kept right"),
  forward_external: passed("sent to a host outside the cluster, with this node's address as source"),
  return_external: passed("entry node: reply of a backend outside the cluster passed on to the client"),
  answer_expired: rejected("its TTL or hop limit ended at this node: answered with ICMP time exceeded"),
  drop_ports_exhausted: dropped("no port of this node is free to stand for the client towards that host outside"),
  answer_too_big: rejected("too large for the way on: answered with ICMP, which names the size that fits"),
  drop_no_egress_gateway: dropped(
    "its pod leaves the cluster by an egress gateway or an address of its own, and no node is ready as that (EgressGateway, egress-address of an IPPool)",
  ),
  drop_not_encrypted: dropped(
    "between two nodes, of which this one encrypts and the other has not, or cannot (WireGuard)",
  ),
  drop_bandwidth: dropped(
    "more than its pod may send or receive in a time (kubernetes.io/egress-bandwidth, ingress-bandwidth)",
  ),
};

export function wordsOf(outcome: string): OutcomeWords {
  return outcomeWords[outcome as OutcomeName] ?? passed(outcome);
}
