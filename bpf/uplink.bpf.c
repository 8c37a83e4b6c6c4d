// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* A node's uplink. Ingress: what clients and other nodes send to services, workloads and the node itself.
 * Egress: replies of backends that run in the node's own network. While the host's stack handles services, also what
 * workloads send through it. */
#include "decide/wrapped.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* What is for the tunnel's port at this node, unwrapped here where that can be done, else by the kernel's device, behind
 * which from_tunnel asks the same. */
static __always_inline int receive_tunnel(struct packet *packet, const struct settings *settings)
{
	struct wrapping wrapping = {};

	if (!is_wrapped_for_us(packet, settings))
		return drop(packet->skb, OUTCOME_DROP_UNKNOWN_TUNNEL_PEER);
	if (unwrap(packet, &wrapping))
		return receive_wrapped(packet, settings, &wrapping, HOOK_FROM_UPLINK);
	return frame_is_from(packet->skb, settings, &packet->tuple.source)
		       ? pass_to_stack(packet->skb)
		       : drop(packet->skb, OUTCOME_DROP_UNKNOWN_TUNNEL_PEER);
}

/* What has no ports that are known: workloads get none of it, the host what it likes. */
static __always_inline int receive_portless(struct packet *packet, enum outcome reason)
{
	return bpf_map_lookup_elem(&endpoints, &packet->tuple.destination) ? drop(packet->skb, reason)
									   : pass_to_stack(packet->skb);
}

/* A packet with a source that can be believed, which is no longer or not yet known of its connection. */
static __always_inline int receive_believed(struct packet *packet, const struct settings *settings,
					    struct connection *connection, const struct origin *origin)
{
	struct arrival arrival = {};

	if (connection && !is_from_behind_stack(connection, origin->interface)) {
		connection->origin = *origin;
		return follow(packet, settings, connection);
	}
	arrival.external = true; /* not in an initializer: that would be a map of constants, another one after every load */
	return open_from_network(packet, settings, &arrival);
}

SEC("tc")
int from_uplink(struct __sk_buff *skb)
{
	const struct settings *settings = settings_get();
	struct connection *connection = NULL;
	struct origin origin = {};
	enum parse_result parsed;
	struct packet packet;
	enum outcome verdict;

	if (!settings)
		return pass_to_stack(skb);
	if (is_in_vlan(skb)) /* for a VLAN's device, which is another interface than this one */
		return pass_to_stack(skb);
	parsed = parse(skb, &packet, HOOK_FROM_UPLINK);
	if (parsed == PARSE_NOT_IP || parsed == PARSE_IPV6)
		return pass_to_stack(skb);
	if (parsed == PARSE_MALFORMED)
		return drop(skb, OUTCOME_DROP_MALFORMED);
	if (is_for_many(&packet.tuple.destination))
		return pass_to_stack(skb);
	if (parsed == PARSE_OK) {
		if (is_vxlan(&packet.tuple) && is_local_host(settings, &packet.tuple.destination))
			return receive_tunnel(&packet, settings);
		connection = connection_find(&packet);
		origin = origin_of_frame(skb);
		if (connection && is_believed(connection, &origin))
			return follow(&packet, settings, connection);
	}
	verdict = check_source(skb, settings, &packet.tuple.source);
	if (verdict != OUTCOME_TO_NETWORK)
		return drop(skb, verdict);
	switch (parsed) {
	case PARSE_OK:
		return receive_believed(&packet, settings, connection, &origin);
	case PARSE_ICMP_ERROR:
		return relay_error_from_uplink(&packet, settings);
	case PARSE_FRAGMENT:
		return receive_portless(&packet, OUTCOME_DROP_FRAGMENT);
	default:
		return receive_portless(&packet, OUTCOME_DROP_UNSUPPORTED);
	}
}

/* What a workload sends through the host's stack to another node, which believes its address only from the tunnel. */
static __always_inline bool must_be_wrapped(const struct settings *settings, const struct tuple *tuple,
					    struct wrapping *wrapping)
{
	const struct location *location;

	if (!is_left_to_host(settings))
		return false;
	location = locate(&tuple->destination);
	if (!location || !(location->flags & LOCATION_REMOTE_HOST) || !is_wrapped_for(location->flags, &tuple->source))
		return false;
	*wrapping = wrapping_for(&location->node, TUNNEL_OVERLAY, 0);
	return true;
}

/* What has no ports is nothing of a connection, unless it is a later fragment that was to be judged here by those of its
 * first, which nobody knows any more. */
static __always_inline int pass_unread(struct __sk_buff *skb)
{
	return is_judged_later(skb) ? drop(skb, OUTCOME_DROP_FRAGMENT) : pass_to_stack(skb);
}

SEC("tc")
int to_uplink(struct __sk_buff *skb)
{
	const struct settings *settings = settings_get();
	struct connection *connection;
	struct wrapping wrapping = {};
	struct packet packet;

	if (skb->mark == MARK_FORWARDED) /* counted by the program that sent it */
		return TC_ACT_OK;
	if (!settings)
		return pass_to_stack(skb);
	if (parse(skb, &packet, HOOK_TO_UPLINK) != PARSE_OK)
		return pass_unread(skb);
	if (is_vxlan(&packet.tuple)) /* neither these programs nor the tunnel's device wrapped it */
		return drop(skb, OUTCOME_DROP_TUNNEL_FROM_WORKLOAD);
	if (is_judged_later(skb)) {
		enum outcome verdict = judge_after_stack(skb, &packet.tuple);

		if (verdict != OUTCOME_TO_ENDPOINT)
			return drop_flow(skb, verdict, &packet.tuple);
	}
	if (must_be_wrapped(settings, &packet.tuple, &wrapping))
		return deliver_wrapped(skb, settings, &wrapping, NULL);
	connection = connection_lookup(&packet.tuple);
	if (!connection || (connection->flags & (CONNECTION_REPLY | CONNECTION_HOST_BACKEND)) !=
				   (CONNECTION_REPLY | CONNECTION_HOST_BACKEND)) {
		remember_host_request(settings, &packet.tuple);
		return pass_to_stack(skb);
	}
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
