// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* A node's uplink. Ingress: what clients and other nodes send to services, workloads and the node itself.
 * Egress: replies of backends that run in the node's own network. While the host's stack handles services, also what
 * workloads send through it, here and on the way into the tunnel. */
#include "steps/receive.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline bool is_tunnel_packet(const struct packet *packet)
{
	return packet->tuple.protocol == IPPROTO_UDP && packet->tuple.destination_port == bpf_htons(VXLAN_PORT);
}

SEC("tc")
int from_uplink(struct __sk_buff *skb)
{
	const struct settings *settings = settings_get();
	struct wrapping wrapping = {};
	struct arrival arrival = {};
	struct connection *connection;
	struct packet packet;

	if (!settings)
		return pass_to_stack(skb);
	switch (parse(skb, &packet, HOOK_FROM_UPLINK)) {
	case PARSE_OK:
		break;
	case PARSE_MALFORMED:
		return drop(skb, OUTCOME_DROP_MALFORMED);
	case PARSE_ICMP_ERROR:
		return relay_error(&packet, settings, TC_ACT_OK);
	case PARSE_FRAGMENT:
		if (bpf_map_lookup_elem(&endpoints, &packet.tuple.destination))
			return drop(skb, OUTCOME_DROP_FRAGMENT);
		return pass_to_stack(skb);
	case PARSE_UNTRACKED:
		if (bpf_map_lookup_elem(&endpoints, &packet.tuple.destination))
			return drop(skb, OUTCOME_DROP_UNSUPPORTED);
		return pass_to_stack(skb);
	default:
		return pass_to_stack(skb);
	}
	if (is_tunnel_packet(&packet))
		return unwrap(&packet, settings, &wrapping)
			       ? receive_wrapped(&packet, settings, &wrapping, HOOK_FROM_UPLINK)
			       : pass_to_stack(skb);
	connection = connection_find(&packet);
	if (connection)
		return follow(&packet, settings, connection);
	arrival.external = true; /* not in an initializer: that would be a map of constants, another one after every load */
	return open_from_network(&packet, settings, &arrival);
}

SEC("tc")
int to_uplink(struct __sk_buff *skb)
{
	const struct settings *settings = settings_get();
	struct connection *connection;
	struct packet packet;

	if (skb->mark == MARK_FORWARDED) /* counted by the program that sent it */
		return TC_ACT_OK;
	if (!settings || parse(skb, &packet, HOOK_TO_UPLINK) != PARSE_OK)
		return pass_to_stack(skb);
	if (is_judged_later(skb)) {
		enum outcome verdict = judge_after_stack(skb, &packet.tuple);

		return verdict == OUTCOME_TO_ENDPOINT ? pass_to_stack(skb) : drop_flow(skb, verdict, &packet.tuple);
	}
	connection = bpf_map_lookup_elem(&connections, &packet.tuple);
	if (!connection || (connection->flags & (CONNECTION_REPLY | CONNECTION_HOST_BACKEND)) !=
				   (CONNECTION_REPLY | CONNECTION_HOST_BACKEND))
		return pass_to_stack(skb);
	trace_known(connection);
	connection_touch(connection, &packet);
	if (translate_reply(&packet, connection))
		return drop(skb, OUTCOME_DROP_MALFORMED);
	if (connection->flags & CONNECTION_VIA_ENTRY) {
		struct wrapping wrapping = wrapping_for(&connection->node, TUNNEL_RETURN,
							return_detail(skb, connection));

		return deliver_wrapped(skb, settings, &wrapping, connection);
	}
	return finish(skb,
		      connection->flags & CONNECTION_DIRECT_RETURN ? OUTCOME_RETURN_DIRECT : OUTCOME_TO_NETWORK,
		      TC_ACT_OK);
}
