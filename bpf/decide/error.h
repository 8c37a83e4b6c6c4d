/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../policy/source.h"
#include "follow.h"
#include "quoted.h"

/* ICMP errors (RFC 792; RFC 5508 for translators): the packet that an error is about travels inside it, as its sender
 * saw it. The error belongs to that packet's connection, in the opposite direction, and is translated inside and
 * outside (translate.h), so that it reaches the host that must react, with addresses which that host knows. */

/* Finds the connection that an error is about, in the direction in which the error travels, judges the error and sends it like that
 * connection's packets. @param receiver the destination that the packet inside must have had; NULL: any @return a verdict;
 * DROP_UNRELATED: the error is about no live connection */
static __noinline enum outcome relate_error(struct packet *packet, const struct settings *settings,
					    const struct address *receiver, struct plan *plan)
{
	struct scratch *scratch = scratch_get();
	struct connection *connection;
	enum outcome verdict;
	__u32 flags;

	if (!packet || !settings || !plan || !scratch || !read_inner(packet, &scratch->inner))
		return OUTCOME_DROP_UNRELATED;
	scratch->direction = reversed(&scratch->inner.tuple);
	connection = live_connection(&scratch->direction);
	if (!connection || (receiver && !address_is_equal(receiver, &scratch->direction.source)))
		return OUTCOME_DROP_UNRELATED;
	verdict = judge_again(packet->skb, &scratch->direction, settings, connection);
	if (verdict != ALLOWED)
		return verdict;
	flags = connection->flags;
	packet->connection = connection;
	if ((flags & (CONNECTION_FORWARDED | CONNECTION_TRANSLATED)) == CONNECTION_TRANSLATED)
		plan->translate = TRANSLATE_ERROR;
	if (flags & CONNECTION_FORWARDED)
		send_wrapped(plan, &connection->node, forward_kind(flags), 0);
	else if (flags & CONNECTION_REPLY && flags & CONNECTION_VIA_ENTRY)
		send_wrapped(plan, &connection->node, TUNNEL_RETURN, 0);
	else if (flags & CONNECTION_VIA_STACK)
		route_by_stack(plan);
	else if (is_between_gateway(flags))
		send_between_gateway(plan, connection);
	else
		send(plan, EXIT_DESTINATION, OUTCOME_TO_NETWORK);
	return ALLOWED;
}

/* Where the packet inside the error went, once the error's connection is known. */
static __always_inline const struct address *error_is_about(void)
{
	struct scratch *scratch = scratch_get();

	return scratch ? &scratch->inner.tuple.destination : NULL;
}

/* Whether an error that these programs made is about a client's packet, which this node has forwarded. */
static __always_inline bool is_about_forwarded(void)
{
	struct scratch *scratch = scratch_get();
	const struct connection *connection = scratch ? live_connection(&scratch->inner.tuple) : NULL;

	return connection && (connection->flags & CONNECTION_FORWARDED);
}

/* The destination of a related error once it is translated. */
static __always_inline const struct address *translated_destination(const struct packet *packet, const struct plan *plan)
{
	const struct connection *connection = packet->connection;
	const struct address *about = error_is_about();

	if (plan->translate != TRANSLATE_ERROR || !connection || !about)
		return &packet->tuple.destination;
	if (connection->flags & CONNECTION_HAIRPIN)
		return about;
	return connection->flags & CONNECTION_REPLY ? &packet->tuple.destination : &connection->address;
}

/* An error from an uplink: it comes from a router, from the connection's other end, or from these programs. An error about no known
 * connection goes to the host, unless it is for a workload. Errors about packets that never left this node, or that left it wrapped, do
 * not come from the network. */
static __always_inline void decide_error_from_uplink(struct packet *packet, const struct settings *settings,
						     struct plan *plan)
{
	enum outcome verdict;

	if (!is_own_error(packet->skb) && decide_quoted(packet, settings, plan))
		return;
	verdict = relate_error(packet, settings, NULL, plan);
	if (verdict == OUTCOME_DROP_UNRELATED && is_own_error(packet->skb) && is_about_forwarded())
		return send(plan, EXIT_DESTINATION, OUTCOME_TO_NETWORK);
	if (verdict == OUTCOME_DROP_UNRELATED && !is_own_error(packet->skb) && !is_workload(&packet->tuple.destination) &&
	    !is_nowhere(&packet->tuple.destination))
		return pass_to_stack(plan);
	if (verdict != ALLOWED)
		return drop(plan, verdict);
	if (packet->connection && !is_own_error(packet->skb) && !(packet->connection->flags & CONNECTION_FORWARDED) && !is_plainly_reached(error_is_about()))
		return drop(plan, OUTCOME_DROP_UNRELATED);
}

/* An error from a workload with the address `own`: about a packet that came to it. */
static __always_inline void decide_error_from_workload(struct packet *packet, const struct settings *settings,
						       const struct address *own, struct plan *plan)
{
	enum outcome verdict = relate_error(packet, settings, own, plan);

	if (verdict == OUTCOME_DROP_UNRELATED && is_local_host(settings, &packet->tuple.destination) && fits_between_nodes(packet) < 0)
		return pass_to_stack(plan); /* the host's own connections have no entry */
	if (verdict != ALLOWED)
		return drop(plan, verdict);
}

/* An error that the backend's node sent back to the client through this node. It comes from the address that the client spoke to, or
 * from a router, which this node is not. */
static __step int return_error(struct packet *packet, const struct settings *settings, const struct wrapping *wrapping,
				   struct plan *plan)
{
	struct scratch *scratch = scratch_get();
	const struct address *source;

	if (!packet || !settings || !wrapping || !plan || !scratch)
		return 0;
	source = &packet->tuple.source;
	if (!read_inner(packet, &scratch->inner) || !forwarded_connection(&scratch->inner.tuple, &wrapping->node))
		drop(plan, OUTCOME_DROP_UNRELATED);
	else if (is_local_host(settings, source) && !address_is_equal(source, &scratch->inner.tuple.destination))
		drop(plan, OUTCOME_DROP_MARTIAN_SOURCE);
	else
		send(plan, EXIT_DESTINATION, OUTCOME_RETURN_FORWARDED);
	return 0;
}

static __always_inline bool is_in_cluster(const struct address *address)
{
	return !is_outside_cluster(address, location_flags(locate(address)));
}

/* Whether the error is about a packet of the node itself, whose connections have no entry, and of the workload that this packet went to: any other sender
 * could make the stack believe what it likes of a way that is not its own. */
static __always_inline bool is_about_own_packet(const struct packet *packet, const struct settings *settings)
{
	const struct scratch *scratch = scratch_get();
	const struct inner_packet *inner = scratch ? &scratch->inner : NULL;

	return inner && is_local_host(settings, &packet->tuple.destination) && is_error_for_sender(packet, inner) &&
	       address_is_equal(&inner->tuple.destination, &packet->tuple.source) && !is_to_tunnel(&inner->tuple);
}

/* An error that another node wrapped: about a packet that a workload of that node received, or about a connection that one of the two
 * nodes forwarded. */
static __always_inline void decide_wrapped_error(struct packet *packet, const struct settings *settings,
						 const struct wrapping *wrapping, struct plan *plan)
{
	enum outcome verdict, source = check_wrapped_source(&packet->tuple.source, wrapping);

	/* A gateway passes on errors of routers outside the cluster. */
	if (source != ALLOWED && (source != OUTCOME_DROP_SPOOFED_SOURCE || wrapping->kind != TUNNEL_OVERLAY || is_in_cluster(&packet->tuple.source)))
		return drop(plan, source);
	if (wrapping->kind == TUNNEL_RETURN) {
		return_error(packet, settings, wrapping, plan);
		return;
	}
	verdict = relate_error(packet, settings, NULL, plan);
	if (verdict == OUTCOME_DROP_UNRELATED && source == ALLOWED && wrapping->kind == TUNNEL_OVERLAY && is_about_own_packet(packet, settings))
		return pass_to_stack(plan);
	if (verdict != ALLOWED)
		return drop(plan, verdict);
	if (is_answer_of_gateway(packet->connection, &wrapping->node))
		return;
	if (source != ALLOWED)
		return drop(plan, source);
	/* The packet inside went to the sender of the error or beyond, so its destination belongs to the same node. */
	if (!packet->connection || !may_follow(packet->connection, wrapping->kind) ||
	    check_wrapped_source(error_is_about(), wrapping) != ALLOWED)
		return drop(plan, OUTCOME_DROP_UNRELATED);
}
