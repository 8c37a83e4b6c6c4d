/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "open.h"
#include "relate.h"

/* The entry node's own entry learns that its connection is answered. */
static __noinline int remember_answer(const struct packet *packet)
{
	struct tuple forward = {};
	struct connection *connection;

	if (!packet)
		return -1;
	forward.source = packet->tuple.destination;
	forward.destination = packet->tuple.source;
	forward.source_port = packet->tuple.destination_port;
	forward.destination_port = packet->tuple.source_port;
	forward.protocol = packet->tuple.protocol;
	connection = bpf_map_lookup_elem(&connections, &forward);
	if (!connection)
		return -1;
	trace_known(connection);
	connection->last_seen = bpf_ktime_get_coarse_ns();
	if (!(connection->flags & CONNECTION_ANSWERED))
		flags_set(connection, CONNECTION_ANSWERED);
	if (packet->tcp_flags & TCP_RST)
		flags_set(connection, CONNECTION_CLOSED);
	return 0;
}

/* A workload's address may only be used by the node it lives on, a node's address only by that node. */
static __always_inline bool source_belongs_to(const struct address *source, const struct address *peer)
{
	const struct location *location = locate(source);

	if (address_is_equal(source, peer))
		return true;
	return location && address_is_equal(&location->node, peer);
}

/* What another node of the cluster wrapped for this one, unwrapped by the program at `hook` or before it. The VNI tells what
 * it is (wrapping.h). */
static __always_inline int receive_wrapped(struct packet *packet, const struct settings *settings,
					   const struct wrapping *wrapping, enum hook hook)
{
	struct arrival arrival = {.entry = wrapping->node};
	enum tunnel_kind kind = wrapped_kind(wrapping);
	struct __sk_buff *skb = packet->skb;
	struct connection *connection;

	switch (parse_from(skb, packet, hook, &wrapping->node)) {
	case PARSE_OK:
		break;
	case PARSE_ICMP_ERROR:
		if (kind == TUNNEL_RETURN)
			return deliver(packet, settings, OUTCOME_RETURN_FORWARDED, NULL);
		return relay_error(packet, settings, TC_ACT_SHOT);
	case PARSE_MALFORMED:
		return drop(skb, OUTCOME_DROP_MALFORMED);
	case PARSE_FRAGMENT:
		return drop(skb, OUTCOME_DROP_FRAGMENT);
	default:
		return drop(skb, OUTCOME_DROP_UNSUPPORTED);
	}
	switch (kind) {
	case TUNNEL_RETURN:
		remember_answer(packet);
		return deliver(packet, settings, OUTCOME_RETURN_FORWARDED, NULL); /* translated already, on its way to the client */
	case TUNNEL_FORWARD_VIA:
		arrival.return_flag = CONNECTION_VIA_ENTRY;
		arrival.external = true;
		arrival.backend = wrapped_backend(wrapping);
		break;
	case TUNNEL_FORWARD_DIRECT:
		arrival.return_flag = CONNECTION_DIRECT_RETURN;
		arrival.external = true;
		arrival.backend = wrapped_backend(wrapping);
		break;
	case TUNNEL_OVERLAY:
		if (wrapping->vni != VNI_OVERLAY)
			return drop(skb, OUTCOME_DROP_UNKNOWN_TUNNEL_PEER);
		break;
	}
	connection = connection_find(packet);
	if (connection)
		return follow(packet, settings, connection);
	if (kind == TUNNEL_OVERLAY && !source_belongs_to(&packet->tuple.source, &arrival.entry))
		return drop(skb, OUTCOME_DROP_SPOOFED_SOURCE);
	return open_from_network(packet, settings, &arrival);
}
