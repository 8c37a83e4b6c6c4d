// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* What the other nodes wrapped for this one. The VNI tells what it is (wrapping.h). */
#include "steps/open.h"
#include "steps/relate.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Backend's node to entry node: an already translated reply; pass it on to the client. Our own entry learns that
 * the connection is answered. */
static __always_inline int return_to_client(struct packet *packet, const struct settings *settings)
{
	struct tuple forward = {
		.source = packet->tuple.destination,
		.destination = packet->tuple.source,
		.source_port = packet->tuple.destination_port,
		.destination_port = packet->tuple.source_port,
		.protocol = packet->tuple.protocol,
	};
	struct connection *connection = bpf_map_lookup_elem(&connections, &forward);

	if (connection) {
		trace_known(connection);
		connection->last_seen = bpf_ktime_get_ns();
		connection->flags |= CONNECTION_ANSWERED;
		if (packet->tcp_flags & TCP_RST)
			connection->flags |= CONNECTION_CLOSED;
	}
	return deliver(packet, settings, OUTCOME_RETURN_FORWARDED);
}

/* A workload's address may only be used by the node it lives on, a node's address only by that node. */
static __always_inline bool source_belongs_to(const struct address *source, const struct address *peer)
{
	const struct location *location = locate(source);

	if (address_is_equal(source, peer))
		return true;
	return location && address_is_equal(&location->node, peer);
}

/* Who wrapped the packet, and its VNI. A function of its own, so that the stack takes the key's room back. */
static __always_inline bool read_wrapping(struct __sk_buff *skb, struct address *entry, __u32 *vni)
{
	struct bpf_tunnel_key key = {};

	if (bpf_skb_get_tunnel_key(skb, &key, sizeof(key), 0))
		return false;
	*entry = address_from_ipv4(bpf_htonl(key.remote_ipv4));
	*vni = key.tunnel_id;
	return true;
}

SEC("tc")
int from_tunnel(struct __sk_buff *skb)
{
	const struct settings *settings = settings_get();
	struct arrival arrival = {};
	struct connection *connection;
	enum tunnel_kind kind;
	__u32 vni;
	struct packet packet;

	if (!settings || !read_wrapping(skb, &arrival.entry, &vni))
		return TC_ACT_SHOT;
	if (!(location_flags(locate(&arrival.entry)) & LOCATION_REMOTE_HOST))
		return drop(skb, OUTCOME_DROP_UNKNOWN_TUNNEL_PEER);
	kind = wrapped_kind(vni);
	switch (parse(skb, &packet, HOOK_FROM_TUNNEL)) {
	case PARSE_OK:
		break;
	case PARSE_ICMP_ERROR:
		if (kind == TUNNEL_RETURN)
			return deliver(&packet, settings, OUTCOME_RETURN_FORWARDED);
		return relay_error(&packet, settings, TC_ACT_SHOT);
	case PARSE_MALFORMED:
		return drop(skb, OUTCOME_DROP_MALFORMED);
	case PARSE_FRAGMENT:
		return drop(skb, OUTCOME_DROP_FRAGMENT);
	default:
		return drop(skb, OUTCOME_DROP_UNSUPPORTED);
	}
	switch (kind) {
	case TUNNEL_RETURN:
		return return_to_client(&packet, settings);
	case TUNNEL_FORWARD_VIA:
		arrival.return_flag = CONNECTION_VIA_ENTRY;
		arrival.external = true;
		arrival.backend = wrapped_backend(skb, vni);
		break;
	case TUNNEL_FORWARD_DIRECT:
		arrival.return_flag = CONNECTION_DIRECT_RETURN;
		arrival.external = true;
		arrival.backend = wrapped_backend(skb, vni);
		break;
	case TUNNEL_OVERLAY:
		if (vni != VNI_OVERLAY)
			return drop(skb, OUTCOME_DROP_UNKNOWN_TUNNEL_PEER);
		break;
	}
	connection = connection_find(&packet);
	if (connection)
		return follow(&packet, settings, connection);
	if (kind == TUNNEL_OVERLAY && !source_belongs_to(&packet.tuple.source, &arrival.entry))
		return drop(skb, OUTCOME_DROP_SPOOFED_SOURCE);
	return open_from_network(&packet, settings, &arrival);
}
