// Checks of the packet path, each taken out of it by one change of its source. What finds none of them missing tests nothing.

export interface Mutant {
  readonly say: string;
  /** Below bpf/. */
  readonly file: string;
  /** Stands there once. */
  readonly text: string;
  readonly instead: string;
}

export const mutants: readonly Mutant[] = [
  {
    say: "whatever comes unwrapped is believed",
    file: "uplink.bpf.c",
    text: "if (verdict != OUTCOME_TO_NETWORK)",
    instead: "if (0)",
  },
  {
    say: "broadcast addresses are sources",
    file: "policy/source.h",
    text: "flags & (LOCATION_LOCAL_HOST | LOCATION_BROADCAST))\n\t\treturn OUTCOME_DROP_MARTIAN_SOURCE;\n\tif (bpf_map",
    instead: "flags & LOCATION_LOCAL_HOST)\n\t\treturn OUTCOME_DROP_MARTIAN_SOURCE;\n\tif (bpf_map",
  },
  {
    say: "any frame is a node's",
    file: "policy/source.h",
    text: "return ethernet && mac_is_equal(ethernet->h_source, route->dmac);",
    instead: "return true;",
  },
  {
    say: "a node that is not known yet is believed",
    file: "policy/source.h",
    text: "if (result == BPF_FIB_LKUP_RET_NO_NEIGH)\n\t\treturn false;",
    instead: "if (result == BPF_FIB_LKUP_RET_NO_NEIGH)\n\t\treturn true;",
  },
  {
    say: "what is wrapped for another address is taken",
    file: "tunnel/vxlan.h",
    text: "return address_is_equal(&packet->tuple.destination, &settings->node) &&",
    instead: "return",
  },
  {
    say: "anybody wraps",
    file: "tunnel/vxlan.h",
    text: "(location_flags(locate(&packet->tuple.source)) & LOCATION_REMOTE_HOST);\n}\n\n/* Takes",
    instead: "1;\n}\n\n/* Takes",
  },
  {
    say: "anybody wraps, behind the kernel's device",
    file: "tunnel.bpf.c",
    text: "return location_flags(locate(&wrapping->node)) & LOCATION_REMOTE_HOST;",
    instead: "return true;",
  },
  {
    say: "in the overlay any source is believed",
    file: "policy/source.h",
    text: "return source_belongs_to(source, &wrapping->node) ? OUTCOME_TO_NETWORK : OUTCOME_DROP_SPOOFED_SOURCE;",
    instead: "return OUTCOME_TO_NETWORK;",
  },
  {
    say: "a workload comes as a forwarded client",
    file: "policy/source.h",
    text: "if ((flags & LOCATION_POOL) || bpf_map_lookup_elem(&endpoints, source))\n\t\treturn OUTCOME_DROP_SPOOFED_SOURCE;\n\t/*",
    instead: "/*",
  },
  {
    say: "any node returns",
    file: "connection/track.h",
    text: "|| !address_is_equal(&connection->node, node))",
    instead: ")",
  },
  {
    say: "a return needs no forwarded connection",
    file: "decide/wrapped.h",
    text: "if (!connection)\n\t\treturn drop(packet->skb, OUTCOME_DROP_UNRELATED);",
    instead: "if (!connection)\n\t\treturn deliver(packet, settings, OUTCOME_RETURN_FORWARDED, NULL);",
  },
  {
    say: "what was forwarded follows a forwarding",
    file: "tunnel/wrapping.h",
    text: "if (connection_flags & CONNECTION_FORWARDED)\n\t\treturn false;",
    instead: "",
  },
  {
    say: "errors are not judged again",
    file: "decide/error.h",
    text: "verdict = judge_again(&direction, settings, connection);",
    instead: "verdict = OUTCOME_TO_ENDPOINT;",
  },
  {
    say: "errors go to anybody",
    file: "decide/error.h",
    text: "!parse_inner(packet, inner) &&\n\t       address_is_equal(&packet->tuple.destination, &inner->tuple.source);",
    instead: "!parse_inner(packet, inner);",
  },
  {
    say: "errors are large",
    file: "decide/error.h",
    text: "#define LARGEST_ERROR 576",
    instead: "#define LARGEST_ERROR 5760",
  },
  {
    say: "a workload speaks of others' packets",
    file: "decide/error.h",
    text: "related->destination = *own;",
    instead: ";",
  },
  {
    say: "errors from the network are about what never left",
    file: "decide/error.h",
    text: "if (!(related->flags & CONNECTION_FORWARDED) && !is_plainly_reached(&related->destination))",
    instead: "if (0)",
  },
  {
    say: "errors that a node wraps are about anything",
    file: "decide/error.h",
    text: " ||\n\t    check_wrapped_source(&related->destination, wrapping) != OUTCOME_TO_NETWORK)",
    instead: ")",
  },
  {
    say: "a returned error has this node's address",
    file: "decide/error.h",
    text: "if (is_local_host(settings, source) && !address_is_equal(source, &scratch->inner.tuple.destination))",
    instead: "if (0)",
  },
  {
    say: "workloads use any source",
    file: "workload.bpf.c",
    text: "if (!address_is_equal(own, &packet.tuple.source))",
    instead: "if (0)",
  },
  { say: "workloads' frames have tags", file: "workload.bpf.c", text: "if (skb->vlan_present)", instead: "if (0)" },
  { say: "frames of VLANs are the uplink's", file: "uplink.bpf.c", text: "if (is_in_vlan(skb))", instead: "if (0)" },
  {
    say: "workloads wrap",
    file: "workload.bpf.c",
    text: "if (is_vxlan(&packet.tuple) && !(settings->flags & SETTINGS_ALLOW_VXLAN_FROM_WORKLOADS))",
    instead: "if (0)",
  },
  {
    say: "a service's backend is a node's tunnel",
    file: "decide/open.h",
    text: "return (settings->flags & SETTINGS_ALLOW_VXLAN_FROM_WORKLOADS) ||",
    instead: "return true ||",
  },
  {
    say: "processes of the node wrap",
    file: "uplink.bpf.c",
    text: "if (is_vxlan(&packet.tuple)) /*",
    instead: "if (0) /*",
  },
  {
    say: "a backend is any service's",
    file: "service/choose.h",
    text: "return bpf_map_lookup_elem(&members, &key);",
    instead: "return true;",
  },
  {
    say: "source ranges keep nobody out",
    file: "service/source_range.h",
    text: "return !service->source_ranges ||",
    instead: "return true ||",
  },
  {
    say: "any FIN or RST counts",
    file: "connection/track.h",
    text: "return packet->next - connection->next + SEQUENCE_WINDOW <= 2 * SEQUENCE_WINDOW;",
    instead: "return true;",
  },
  {
    say: "any refusal counts",
    file: "connection/track.h",
    text: "return other && acknowledged_by(packet) == other->next;",
    instead: "return true;",
  },
  {
    say: "a SYN opens anew, whatever is established",
    file: "connection/track.h",
    text: "if (connection->flags & (CONNECTION_CLOSED | CONNECTION_RESET))\n\t\treturn false;\n\tif (connection->flags & CONNECTION_SYN)",
    instead: "if (!(connection->flags & CONNECTION_SYN))\n\t\treturn false;\n\tif (connection->flags & CONNECTION_SYN)",
  },
  {
    say: "every flow is established at once",
    file: "connection/track.h",
    text: "if (!is_established_by(packet, connection, other))",
    instead: "if (0)",
  },
  {
    say: "established flows are not judged again",
    file: "decide/follow.h",
    text: "if (connection->policy_revision == settings->policy_revision ||",
    instead: "if (1 ||",
  },
  {
    say: "replies are not judged again",
    file: "decide/follow.h",
    text: "(connection->flags & (CONNECTION_FORWARDED | CONNECTION_JUDGED_LATER)))",
    instead: "(connection->flags & (CONNECTION_REPLY | CONNECTION_FORWARDED | CONNECTION_JUDGED_LATER)))",
  },
  {
    say: "behind the stack the sender is whom the packet says",
    file: "policy/judge.h",
    text: "if (sender) {",
    instead: "if (0) {",
  },
  {
    say: "the stack's packets have any source",
    file: "workload.bpf.c",
    text: "return skb->ingress_ifindex && !is_left_to_host(settings) && !sender_before_stack(skb) && is_workload(source);",
    instead: "return false;",
  },
  {
    say: "a masqueraded pod goes on itself",
    file: "workload.bpf.c",
    text: "connection->origin.interface == skb->ifindex && !connection->origin.node;",
    instead: "connection->origin.interface == skb->ifindex;",
  },
  {
    say: "anybody goes on with what the stack masqueraded",
    file: "uplink.bpf.c",
    text: "if (connection && !is_from_behind_stack(connection, origin->interface)) {",
    instead: "if (connection) {",
  },
  {
    say: "a pod goes on with what the stack masqueraded as it",
    file: "workload.bpf.c",
    text: "if (!connection || is_from_behind_stack(connection, ifindex))",
    instead: "if (!connection)",
  },
  {
    say: "later fragments of what is judged later pass",
    file: "uplink.bpf.c",
    text: "return is_judged_later(skb) ? drop(skb, OUTCOME_DROP_FRAGMENT) : pass_to_stack(skb);",
    instead: "return pass_to_stack(skb);",
  },
  {
    say: "errors of the stack go to any pod's interface",
    file: "workload.bpf.c",
    text: "if (verdict == OUTCOME_TO_NETWORK || is_made_here(packet->skb, settings, &packet->tuple.source))",
    instead: "if (1)",
  },
  {
    say: "externalTrafficPolicy: Local is any backend's",
    file: "decide/open.h",
    text: "enum reach reach = wrapped || (service->flags & local_only) ? REACH_LOCAL : REACH_ANY;",
    instead: "enum reach reach = wrapped ? REACH_LOCAL : REACH_ANY;",
  },
];
