/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../egress.h"
#include "../plan.h"
#include "../policy/source.h"
#include "../tunnel/quoted.h"
#include "../tunnel/tunnel.h"

/* A router's message that a packet which this node wrapped does not fit its way to the other node. Any host can send such a message. So
 * it changes nothing on this node, and the stack does not learn of it: it becomes an error about the packet inside, for the sender of
 * that packet and for no other flow. */

static __always_inline bool is_wrapped_for_gateway(const struct tuple *tuple, const struct address *node)
{
	const struct connection *connection = live_connection(tuple);

	return connection && is_by_gateway(connection) && !(connection->flags & CONNECTION_REPLY) &&
	       address_is_equal(&connection->node, node);
}

/* An answer from outside the cluster, on its way from this gateway to the workload's node. @param sent the packet that it answers */
static __always_inline bool is_wrapped_by_gateway(const struct tuple *sent, const struct address *node)
{
	const __u32 here = CONNECTION_BY_GATEWAY | CONNECTION_MASQUERADED;
	const struct connection *connection = live_connection(sent);

	return connection && (connection->flags & (here | CONNECTION_REPLY)) == here && source_belongs_to(&sent->source, node);
}

/* Whether packets of a live connection go to the node with that wrapping. */
static __always_inline bool goes_wrapped(struct scratch *scratch, const struct wrapping *wrapping)
{
	const struct tuple *tuple = &scratch->inner.tuple;
	const struct connection *connection;

	if (wrapping_is_service(wrapping))
		return forwarded_connection(tuple, &wrapping->node);
	scratch->direction = reversed(tuple);
	if (wrapping->kind == TUNNEL_OVERLAY &&
	    (is_wrapped_for_gateway(tuple, &wrapping->node) || is_wrapped_by_gateway(&scratch->direction, &wrapping->node)))
		return true;
	if (wrapping->kind == TUNNEL_OVERLAY)
		return bpf_map_lookup_elem(&endpoints, &tuple->source) && source_belongs_to(&tuple->destination, &wrapping->node);
	connection = live_connection(&scratch->direction);
	return connection && (connection->flags & CONNECTION_VIA_ENTRY) && address_is_equal(&connection->node, &wrapping->node);
}

/* How large a packet between nodes may be, as an error says; 0: the size cannot be right; -1: the error says something else. The stack
 * would believe any host that a node is reached by small packets only. */
static __step int fits_between_nodes(const struct packet *packet)
{
	struct scratch *scratch = scratch_get();

	if (!packet || !scratch || !may_be_about_tunnel(packet))
		return -1;
	/* For IPIP the ports are those of the packet inside, which is read later. */
	if (parse_inner(packet, &scratch->inner) && !is_ipip(&scratch->inner.tuple))
		return -1;
	if (!is_to_tunnel(&scratch->inner.tuple))
		return -1;
	return fits_by_error(packet, &scratch->inner);
}

/* @return false: the error is about something else */
static __step int decide_quoted(const struct packet *packet, const struct settings *settings, struct plan *plan)
{
	struct scratch *scratch = scratch_get();
	struct inner_packet *inner;
	__s32 fits;

	if (!packet || !settings || !plan || !scratch)
		return false;
	inner = &scratch->inner;
	fits = fits_between_nodes(packet);
	if (fits < 0)
		return false;
	if (!is_error_for_sender(packet, inner) || !is_wrapped_here(&inner->tuple, settings) ||
	    read_quoted(packet->skb, inner, &scratch->wrapping) || (__u32)fits <= tunnel_room(settings, &scratch->wrapping) ||
	    !goes_wrapped(scratch, &scratch->wrapping)) {
		drop(plan, OUTCOME_DROP_UNRELATED);
		return true;
	}
	draft_error_about(&scratch->error, inner, fits - tunnel_room(settings, &scratch->wrapping));
	send(plan, EXIT_QUOTED, OUTCOME_ANSWER_TOO_BIG);
	return true;
}
