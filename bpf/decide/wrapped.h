/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "open.h"
#include "error.h"
#include "../policy/source.h"

/* What another node of the cluster wrapped for this one. That a packet comes wrapped gives it no right that it would not
 * have otherwise: the source is held against who wrapped it, new connections are judged, and a reply on its way back must
 * belong to a connection that this node forwarded to that one. */

/* Whether the frame, as far as it can be seen, was sent by the node that is said to have wrapped it: anybody on the link can
 * write a node's address. What the kernel's device unwrapped was asked for before (receive_tunnel). */
static __always_inline bool is_from_peer(struct __sk_buff *skb, const struct settings *settings,
					 const struct wrapping *wrapping, enum hook hook)
{
	return hook == HOOK_FROM_TUNNEL || frame_is_from(skb, settings, &wrapping->node);
}

/* The same of a reply, for the price of a comparison: requests go there. */
static __always_inline bool frame_is_from_way(struct __sk_buff *skb, struct connection *connection)
{
	const struct ethhdr *ethernet = bytes_at(skb, 0, sizeof(*ethernet));
	const struct connection *known = way_known(connection);

	return ethernet && known && known->way.kind == WAY_TO_NODE &&
	       mac_is_equal(ethernet->h_source, known->way.destination_mac);
}

/* The entry node's own entry learns that its connection is answered. */
static __always_inline void remember_answer(struct connection *connection, const struct packet *packet)
{
	trace_known(connection);
	connection->last_seen = bpf_ktime_get_coarse_ns();
	if (!(connection->flags & CONNECTION_ANSWERED))
		flags_set(connection, CONNECTION_ANSWERED);
	if (packet->tcp_flags & TCP_RST)
		flags_set(connection, CONNECTION_RESET);
}

/* A reply that `wrapping` brings back, translated already, on its way to the client. */
static __noinline int return_to_client(struct packet *packet, const struct settings *settings,
				       const struct wrapping *wrapping, enum hook hook)
{
	struct connection *connection;
	struct tuple forward;

	if (!packet || !settings || !wrapping)
		return TC_ACT_SHOT;
	forward = reversed(&packet->tuple);
	connection = forwarded_connection(&forward, &wrapping->node);
	if (!connection)
		return drop(packet->skb, OUTCOME_DROP_UNRELATED);
	if (!frame_is_from_way(packet->skb, connection) && !is_from_peer(packet->skb, settings, wrapping, hook))
		return drop(packet->skb, OUTCOME_DROP_UNKNOWN_TUNNEL_PEER);
	remember_answer(connection, packet);
	return deliver(packet, settings, OUTCOME_RETURN_FORWARDED, NULL);
}

/* A request: between workloads, or a client's to a backend here. */
static __always_inline int receive_request(struct packet *packet, const struct settings *settings,
					   const struct wrapping *wrapping, struct arrival *arrival, enum hook hook)
{
	struct origin origin = origin_of_tunnel(packet->skb, settings, &wrapping->node);
	struct connection *connection = connection_find(packet);
	enum outcome verdict;

	if (connection && !may_follow(connection->flags, wrapped_kind(wrapping)))
		connection = NULL;
	if (connection && is_believed(connection, &origin))
		return follow(packet, settings, connection);
	if (!is_from_peer(packet->skb, settings, wrapping, hook))
		return drop(packet->skb, OUTCOME_DROP_UNKNOWN_TUNNEL_PEER);
	verdict = check_wrapped_source(&packet->tuple.source, wrapping);
	if (verdict != OUTCOME_TO_NETWORK)
		return drop(packet->skb, verdict);
	if (!connection)
		return open_from_network(packet, settings, arrival);
	connection->origin = origin;
	return follow(packet, settings, connection);
}

/* Unwrapped by the program at `hook` or before it. The VNI tells what it is (wrapping.h). */
static __always_inline int receive_wrapped(struct packet *packet, const struct settings *settings,
					   const struct wrapping *wrapping, enum hook hook)
{
	struct arrival arrival = {.entry = wrapping->node};
	enum tunnel_kind kind = wrapped_kind(wrapping);
	struct __sk_buff *skb = packet->skb;

	switch (parse_from(skb, packet, hook, &wrapping->node)) {
	case PARSE_OK:
		break;
	case PARSE_ICMP_ERROR:
		return is_from_peer(skb, settings, wrapping, hook) ? relay_wrapped_error(packet, settings, wrapping)
								   : drop(skb, OUTCOME_DROP_UNKNOWN_TUNNEL_PEER);
	case PARSE_MALFORMED:
		return drop(skb, OUTCOME_DROP_MALFORMED);
	case PARSE_FRAGMENT:
		return drop(skb, OUTCOME_DROP_FRAGMENT);
	default:
		return drop(skb, OUTCOME_DROP_UNSUPPORTED);
	}
	switch (kind) {
	case TUNNEL_RETURN:
		return return_to_client(packet, settings, wrapping, hook);
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
	return receive_request(packet, settings, wrapping, &arrival, hook);
}
