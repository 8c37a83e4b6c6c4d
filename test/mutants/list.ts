// Checks of the packet path, each disabled by one change of its source. A test suite that does not notice is incomplete.

export interface Mutant {
  readonly say: string;
  /** Below bpf/. */
  readonly file: string;
  /** Occurs exactly once. */
  readonly text: string;
  readonly instead: string;
}

export const mutants: readonly Mutant[] = [
  {
    say: "any source is accepted without VXLAN",
    file: "uplink.bpf.c",
    text: "if (verdict != ALLOWED)",
    instead: "if (0)",
  },
  {
    say: "broadcast addresses are valid sources",
    file: "policy/source.h",
    text: "flags & (LOCATION_LOCAL_HOST | LOCATION_BROADCAST))\n\t\treturn OUTCOME_DROP_MARTIAN_SOURCE;\n\tif (bpf_map",
    instead: "flags & LOCATION_LOCAL_HOST)\n\t\treturn OUTCOME_DROP_MARTIAN_SOURCE;\n\tif (bpf_map",
  },
  {
    say: "any MAC address counts as a node's",
    file: "policy/source.h",
    text: "return answer == ROUTE_KNOWN && frame_has_source(skb, route->dmac);",
    instead: "return answer == ROUTE_KNOWN;",
  },
  {
    say: "a node without a neighbor entry is accepted",
    file: "policy/source.h",
    text: "return answer == ROUTE_KNOWN && frame_has_source(skb, route->dmac);",
    instead: "return answer != ROUTE_KNOWN || frame_has_source(skb, route->dmac);",
  },
  {
    say: "VXLAN packets for another address are accepted",
    file: "tunnel/vxlan.h",
    text: "return address_is_equal(&packet->tuple.destination, &settings->node) &&",
    instead: "return",
  },
  {
    say: "any sender may use VXLAN",
    file: "tunnel/vxlan.h",
    text: "(location_flags(locate(&packet->tuple.source)) & LOCATION_REMOTE_HOST);\n}\n\n/* Tells",
    instead: "1;\n}\n\n/* Tells",
  },
  {
    say: "any sender may use VXLAN, through the kernel's device",
    file: "tunnel/device.h",
    text: "return location_flags(locate(&wrapping->node)) & LOCATION_REMOTE_HOST;",
    instead: "return true;",
  },
  {
    say: "any source is accepted in the overlay",
    file: "policy/source.h",
    text: "return source_belongs_to(source, &wrapping->node) ? ALLOWED : OUTCOME_DROP_SPOOFED_SOURCE;",
    instead: "return ALLOWED;",
  },
  {
    say: "a forwarded packet may have a workload's source",
    file: "policy/source.h",
    text: "if ((flags & LOCATION_POOL) || bpf_map_lookup_elem(&endpoints, source))\n\t\treturn OUTCOME_DROP_SPOOFED_SOURCE;\n\t/*",
    instead: "/*",
  },
  {
    say: "any node may return replies",
    file: "connection/live.h",
    text: "|| !address_is_equal(&connection->node, node))",
    instead: ")",
  },
  {
    say: "a reply needs no forwarded connection",
    file: "decide/wrapped.h",
    text: "if (!connection) {\n\t\tdrop(plan, OUTCOME_DROP_UNRELATED);",
    instead: "if (!connection) {\n\t\tsend(plan, EXIT_DESTINATION, OUTCOME_RETURN_FORWARDED);",
  },
  {
    say: "a forwarded connection may be forwarded again",
    file: "tunnel/wrapping.h",
    text: "if (connection_flags & CONNECTION_FORWARDED)\n\t\treturn false;",
    instead: "",
  },
  {
    say: "ICMP errors are not judged again",
    file: "decide/error.h",
    text: "verdict = judge_again(&scratch->direction, settings, connection);",
    instead: "verdict = ALLOWED;",
  },
  {
    say: "ICMP errors go to any destination",
    file: "net/icmp.h",
    text: "!parse_inner(packet, inner) &&\n\t       address_is_equal(&packet->tuple.destination, &inner->tuple.source);",
    instead: "!parse_inner(packet, inner);",
  },
  {
    say: "ICMP errors may be large",
    file: "net/icmp.h",
    text: "#define LARGEST_ERROR 576",
    instead: "#define LARGEST_ERROR 5760",
  },
  {
    say: "a workload may send ICMP errors about others' packets",
    file: "decide/error.h",
    text: " || (receiver && !address_is_equal(receiver, &scratch->direction.source)))",
    instead: " || (receiver && 0))",
  },
  {
    say: "ICMP errors from the network may be about packets that were never sent",
    file: "decide/error.h",
    text: "if (packet->connection && !(packet->connection->flags & CONNECTION_FORWARDED) && !is_plainly_reached(error_is_about()))",
    instead: "if (0)",
  },
  {
    say: "ICMP errors in VXLAN may be about any packet",
    file: "decide/error.h",
    text: " ||\n\t    check_wrapped_source(error_is_about(), wrapping) != ALLOWED)",
    instead: ")",
  },
  {
    say: "a returned ICMP error may have this node's address",
    file: "decide/error.h",
    text: "if (is_local_host(settings, source) && !address_is_equal(source, &scratch->inner.tuple.destination))",
    instead: "if (0)",
  },
  {
    say: "workloads use any source",
    file: "workload.bpf.c",
    text: "if (!address_is_equal(own, &packet->tuple.source))",
    instead: "if (0)",
  },
  {
    say: "workloads may send tagged frames",
    file: "workload.bpf.c",
    text: "if (skb->vlan_present)",
    instead: "if (0)",
  },
  {
    say: "frames of VLANs are handled as the uplink's",
    file: "uplink.bpf.c",
    text: " || is_in_vlan(skb))",
    instead: ")",
  },
  {
    say: "workloads may send VXLAN",
    file: "workload.bpf.c",
    text: "if (is_tunnel_packet(&packet->tuple) && !(settings->flags & SETTINGS_ALLOW_VXLAN_FROM_WORKLOADS))",
    instead: "if (0)",
  },
  {
    say: "a service's backend may be a node's tunnel port",
    file: "decide/open.h",
    text: "return (settings->flags & SETTINGS_ALLOW_VXLAN_FROM_WORKLOADS) ||",
    instead: "return true ||",
  },
  {
    say: "processes of the node may send VXLAN",
    file: "uplink.bpf.c",
    text: "if (parsed == PARSE_OK && is_tunnel_packet(&packet->tuple)) /*",
    instead: "if (0) /*",
  },
  {
    say: "a backend may belong to any service",
    file: "service/choose.h",
    text: "return bpf_map_lookup_elem(&members, &key);",
    instead: "return true;",
  },
  {
    say: "source ranges admit all clients",
    file: "service/source_range.h",
    text: "return !service->source_ranges ||",
    instead: "return true ||",
  },
  {
    say: "any FIN or RST counts",
    file: "connection/touch.h",
    text: "return packet->next - connection->next + SEQUENCE_WINDOW <= 2 * SEQUENCE_WINDOW;",
    instead: "return true;",
  },
  {
    say: "any refusal counts",
    file: "connection/touch.h",
    text: "return other && acknowledged_by(packet) == other->next;",
    instead: "return true;",
  },
  {
    say: "a SYN resets an established connection",
    file: "connection/find.h",
    text: "if (connection->flags & (CONNECTION_CLOSED | CONNECTION_RESET))\n\t\treturn false;\n\tif (connection->flags & CONNECTION_SYN)",
    instead: "if (!(connection->flags & CONNECTION_SYN))\n\t\treturn false;\n\tif (connection->flags & CONNECTION_SYN)",
  },
  {
    say: "every flow is established at once",
    file: "connection/establish.h",
    text: "if (!is_established_by(packet, connection, other))",
    instead: "if (0)",
  },
  {
    say: "no flow is ever established",
    file: "remember.h",
    text: "if (packet->is_half_open)",
    instead: "if (0)",
  },
  {
    say: "requests of the node are not remembered",
    file: "remember.h",
    text: "note_host_request(&packet->tuple);",
    instead: ";",
  },
  {
    say: "a connection is not forgotten when the host's stack takes over its ports",
    file: "remember.h",
    text: "connection_forget(&packet->tuple);",
    instead: ";",
  },
  {
    say: "established flows are not judged again",
    file: "policy/judge.h",
    text: "if (connection->policy_revision == settings->policy_revision ||",
    instead: "if (1 ||",
  },
  {
    say: "replies are not judged again",
    file: "policy/judge.h",
    text: "(connection->flags & (CONNECTION_FORWARDED | CONNECTION_JUDGED_LATER)))",
    instead: "(connection->flags & (CONNECTION_REPLY | CONNECTION_FORWARDED | CONNECTION_JUDGED_LATER)))",
  },
  {
    say: "after the stack the sender is taken from the packet",
    file: "policy/judge.h",
    text: "if (sender) {",
    instead: "if (0) {",
  },
  {
    say: "the stack's packets may have any source",
    file: "decide/after_stack.h",
    text: "return skb->ingress_ifindex && !is_left_to_host(settings) && !sender_before_stack(skb) && is_workload(source);",
    instead: "return false;",
  },
  {
    say: "a masqueraded pod may continue its own connection",
    file: "workload.bpf.c",
    text: "connection->origin.interface == skb->ifindex && !connection->origin.node;",
    instead: "connection->origin.interface == skb->ifindex;",
  },
  {
    say: "any sender may continue a masqueraded connection",
    file: "uplink.bpf.c",
    text: "if (!connection || is_from_behind_stack(connection, origin.interface)) {",
    instead: "if (!connection) {",
  },
  {
    say: "a pod may continue a connection that the stack masqueraded as its own",
    file: "workload.bpf.c",
    text: "if (connection && is_from_behind_stack(connection, ifindex))",
    instead: "if (0)",
  },
  {
    say: "later fragments of packets that are judged later pass",
    file: "decide/after_stack.h",
    text: "if (parsed != PARSE_OK) {\n\t\tdrop(plan, OUTCOME_DROP_FRAGMENT);",
    instead: "if (parsed != PARSE_OK) {\n\t\tpass_to_stack(plan);",
  },
  {
    say: "ICMP errors of the stack go to any pod's interface",
    file: "workload.bpf.c",
    text: "if (verdict != ALLOWED && !is_made_here(packet->skb, settings, &packet->tuple.source))",
    instead: "if (0)",
  },
  {
    say: "externalTrafficPolicy: Local uses any backend",
    file: "decide/open.h",
    text: "enum reach reach = wrapped || (service->flags & local_only) ? REACH_LOCAL : REACH_ANY;",
    instead: "enum reach reach = wrapped ? REACH_LOCAL : REACH_ANY;",
  },
  {
    say: "a verdict about a known connection is not noted, so each of its packets is judged",
    file: "remember.h",
    text: "if (plan->is_judged)",
    instead: "if (0)",
  },
  {
    say: "where a known connection came from before the stack is not renewed",
    file: "workload.bpf.c",
    text: "believe_stack(plan, packet->skb, connection);\n\t\talong(packet, connection, plan); /* another",
    instead: "along(packet, connection, plan); /* another",
  },
];
