/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../policy/refused.h"
#include "../read.h"
#include "error.h"
#include "open.h"
#include "way_back.h"

/* Packets that another node of the cluster wrapped for this one. Being wrapped gives a packet no additional rights: its source must
 * fit the node that wrapped it, new connections are judged, and a reply on its way back must belong to a connection that this node
 * forwarded to that one. */

/* Whether the frame was sent by the node that its outer header names, as far as the link shows: any host on the link can write a node's
 * address. For packets that the kernel's device unwrapped, from_uplink has checked this. */
static __always_inline bool is_from_peer(const struct packet *packet, const struct wrapping *wrapping)
{
	return packet->hook == HOOK_FROM_TUNNEL || frame_is_from(packet->skb, &wrapping->node);
}

/* The same check for a reply, which costs only a comparison, because requests go to the same node. */
static __always_inline bool frame_is_from_next_hop(struct __sk_buff *skb, struct connection *connection)
{
	const struct connection *known = next_hop_known(connection);

	return known && known->next_hop.kind == NEXT_HOP_NODE && frame_has_source(skb, known->next_hop.destination_mac);
}

/* A reply that `wrapping` brings back: already translated, and on its way to the client. */
static __step int return_to_client(struct packet *packet, const struct settings *settings,
				       const struct wrapping *wrapping, struct plan *plan)
{
	struct scratch *scratch = scratch_get();
	struct connection *connection;
	enum outcome verdict;

	if (!packet || !settings || !wrapping || !plan || !scratch)
		return 0;
	scratch->direction = reversed(&packet->tuple);
	connection = forwarded_connection(&scratch->direction, &wrapping->node);
	if (!connection) {
		drop(plan, OUTCOME_DROP_UNRELATED);
	} else if (!frame_is_from_next_hop(packet->skb, connection) && !is_from_peer(packet, wrapping)) {
		drop(plan, OUTCOME_DROP_UNKNOWN_TUNNEL_PEER);
	} else {
		trace_known(connection);
		verdict = judge_again(packet->skb, &scratch->direction, settings, connection);
		if (verdict != ALLOWED) {
			drop(plan, verdict);
			return 0;
		}
		packet->connection = connection;
		plan->remember = REMEMBER_ANSWER;
		send(plan, EXIT_DESTINATION, OUTCOME_RETURN_FORWARDED);
	}
	return 0;
}

/* A request: between workloads, or from a client to a backend on this node. */
static __always_inline void decide_request(struct packet *packet, const struct settings *settings,
					   const struct wrapping *wrapping, struct plan *plan)
{
	struct origin origin = origin_of_tunnel(packet->skb, settings, &wrapping->node);
	bool is_overlay = wrapping->kind == TUNNEL_OVERLAY;
	struct connection *connection;
	enum outcome verdict;

	if (is_overlay && may_be_refused_again(packet) && refuses_again(packet, &origin, plan))
		return;
	connection = connection_find(packet);
	if (connection && !may_follow(connection, wrapping->kind))
		connection = NULL;
	if (!connection || !is_believed(connection, &origin)) {
		if (!is_from_peer(packet, wrapping))
			return drop(plan, OUTCOME_DROP_UNKNOWN_TUNNEL_PEER);
		verdict = is_answer_of_gateway(connection, &wrapping->node) ? ALLOWED : check_wrapped_source(&packet->tuple.source, wrapping);
		if (verdict != ALLOWED)
			return drop(plan, verdict);
		if (!connection) {
			if (is_overlay)
				note_origin(packet, &origin, plan);
			open_from_network(packet, settings, wrapping, plan);
			return;
		}
		believe(plan, &origin);
	}
	follow(packet, settings, connection, plan);
	if (plan->origin_is_known)
		decide_way_back(packet, wrapping, plan);
}

/* A packet that was wrapped, without its outer headers. */
static __always_inline void decide_wrapped(struct packet *packet, const struct settings *settings,
					   const struct wrapping *wrapping, enum hook hook, struct plan *plan)
{
	*packet = (struct packet){.skb = packet->skb}; /* fields of the outer headers are no longer valid */
	switch (read_wrapped(packet, hook, &wrapping->node)) {
	case PARSE_OK:
		break;
	case PARSE_ICMP_ERROR:
		if (!is_from_peer(packet, wrapping))
			return drop(plan, OUTCOME_DROP_UNKNOWN_TUNNEL_PEER);
		return decide_wrapped_error(packet, settings, wrapping, plan);
	case PARSE_MALFORMED:
		return drop(plan, OUTCOME_DROP_MALFORMED);
	case PARSE_FRAGMENT:
		return drop(plan, OUTCOME_DROP_FRAGMENT);
	default:
		return drop(plan, OUTCOME_DROP_UNSUPPORTED);
	}
	if (wrapping->kind == TUNNEL_RETURN)
		return_to_client(packet, settings, wrapping, plan);
	else if (wrapping->kind == TUNNEL_OVERLAY && wrapping->backend) /* none of ours */
		drop(plan, OUTCOME_DROP_UNKNOWN_TUNNEL_PEER);
	else
		decide_request(packet, settings, wrapping, plan);
}
