/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "connection/establish.h"
#include "connection/move.h"
#include "connection/open.h"
#include "observe/report.h"
#include "observe/services.h"
#include "observe/trace.h"
#include "plan.h"
#include "policy/judge.h"
#include "policy/refused.h"
#include "service/affinity.h"
#include "service/note_host_request.h"
#include "settings.h"
#include "socket/sender.h"

/* Writes to the maps what a plan wants to be remembered about its packet. */

/* The entry node's own entry records that its connection is answered. */
static __always_inline void remember_answer(struct connection *connection, const struct packet *packet)
{
	connection->last_seen = packet_time();
	if (!(connection->flags & CONNECTION_ANSWERED))
		flags_set(connection, CONNECTION_ANSWERED);
	if (packet->tcp_flags & TCP_RST)
		flags_set(connection, CONNECTION_RESET);
}

/* The node that chose the backend of a service's connection counts the connection. If the packet came wrapped, its entry node has
 * counted it. */
static __always_inline void count_opened(const struct plan *plan, const struct opening *opening)
{
	if (plan->service && !is_from_entry(opening->flags))
		count_service(plan->service, SERVICE_COUNT_CONNECTIONS, 0);
}

/* The service under which a packet of a connection is counted, if services are counted. Each direction is counted by one node: the one
 * that chose the backend, or, for answers that go straight to the client, the backend's node. */
static __always_inline void count_carried(struct __sk_buff *skb, const struct connection *connection, const struct plan *plan)
{
	const struct settings *settings = settings_get();
	__u32 flags = connection->flags;
	bool answers = plan->remember == REMEMBER_ANSWER || (flags & CONNECTION_REPLY);

	if (settings && counts_services(settings) && (answers ? !(flags & CONNECTION_VIA_ENTRY) : !is_from_entry(flags)))
		count_service(connection->service, answers ? SERVICE_COUNT_ANSWERS : SERVICE_COUNT_REQUESTS, skb->len);
}

/* Whether a sender of this node opens the connection, and services are counted. */
static __always_inline bool is_counted_by_socket(const struct packet *packet)
{
	const struct settings *settings = settings_get();

	return settings && counts_services(settings) && !is_from_network(packet);
}

/* Writes the new connection. If that fails, the packet is dropped. */
static __step int remember_opening(struct __sk_buff *skb, const struct packet *packet, struct plan *plan)
{
	struct scratch *scratch = scratch_get();
	enum outcome written;

	if (!packet || !plan || !scratch)
		return 0;
	/* A socket was given the backend before it sent anything. A packet from a network may have a socket of this kernel, too, but not
	 * of this node. */
	if (!scratch->opening.service && is_counted_by_socket(packet))
		scratch->opening.service = list_of_sender(skb, &packet->tuple);
	written = connection_open(packet, &scratch->opening);
	if (written != ALLOWED) {
		if (scratch->opening.flags & CONNECTION_FORWARDED)
			drop(plan, written);
		else
			drop_flow(plan, written);
		return 0;
	}
	if (scratch->opening.affine_list)
		remember_affinity(scratch->opening.affine_list, &packet->tuple.source, scratch->opening.backend_id);
	if (scratch->connection.flags & CONNECTION_TRANSLATED)
		plan->translate = TRANSLATE_PACKET;
	trace_peer_port(&packet->tuple, scratch->connection.peer_port);
	if (!(scratch->connection.flags & CONNECTION_REFUSED)) {
		report_opened(skb->ifindex);
		count_opened(plan, &scratch->opening);
	}
	return 0;
}

/* @return the connection as it was written; it is now the packet's connection */
static __always_inline struct connection *remembered_opening(struct __sk_buff *skb, const struct packet *packet, struct plan *plan)
{
	struct scratch *scratch = scratch_get();

	remember_opening(skb, packet, plan);
	return scratch && plan->remember == REMEMBER_OPENING ? &scratch->connection : NULL;
}

/* Whether a connection can do without a place: a connection of the node itself (decide/to_host.h), of which nothing is translated. A
 * packet that no longer finds its entry is judged again. So a table that others have filled closes neither a fail-safe port nor a flow
 * that policies allow. Asked only when there is no place. */
static __step int is_kept_half_open(const struct packet *packet, const struct connection *connection)
{
	const struct settings *settings = settings_get();
	struct scratch *scratch = scratch_get();
	const struct tuple *tuple;

	if (!packet || !connection || !settings || !scratch || !(connection->flags & CONNECTION_VIA_STACK))
		return false;
	tuple = tuple_as_key(scratch, &packet->tuple);
	return is_local_host(settings, &tuple->destination) || is_local_host(settings, &tuple->source);
}

/* A connection that cannot be established stays half open until its ends give up, or until there is room. @return it; NULL: there is
 * none */
static __always_inline struct connection *remember_packet(struct __sk_buff *skb, const struct packet *packet,
							  struct connection *connection, struct plan *plan)
{
	struct connection *known = connection;

	if (packet->is_half_open) {
		connection = establish(skb, packet, known);
		if (!connection && is_kept_half_open(packet, known))
			connection = known;
	}
	if (!connection) {
		drop(plan, OUTCOME_DROP_CONNECTION_TABLE_FULL);
		return NULL;
	}
	if (plan->origin_is_known)
		connection->origin = plan->origin;
	connection_touch(skb, connection, packet);
	if (plan->remember == REMEMBER_MOVE)
		connection_move(packet, connection);
	return connection;
}

static __always_inline void remember_tuple(const struct packet *packet, const struct plan *plan)
{
	struct scratch *scratch = scratch_get();
	struct tuple *tuple;

	if (!scratch)
		return;
	tuple = tuple_as_key(scratch, &packet->tuple);
	if (plan->remember == REMEMBER_HOST_ANSWER)
		note_host_answer(tuple);
	else
		connection_forget(tuple);
}

/* Writes the verdict into the connection. Separate function: only the first packet after a change of policies needs it. */
static __step int remember_verdict(struct connection *connection)
{
	const struct settings *settings = settings_get();
	const struct scratch *scratch = scratch_get();

	if (connection && settings && scratch)
		note_verdict(settings, scratch, &connection->policy_revision, &connection->ends_revision);
	return 0;
}

/* Records that packets like this one are refused (policy/refused.h), with the revision that was read before the policies, if that is
 * still the current one. */
__global int remember_refusal(struct __sk_buff *skb, const struct tuple *tuple)
{
	const struct ethhdr *ethernet = bytes_at(skb, 0, sizeof(*ethernet));
	const struct settings *settings = settings_get();
	struct scratch *scratch = scratch_get();
	struct refusal *refusal;

	if (!tuple || !settings || !scratch || !ethernet)
		return 0;
	refusal = refusal_at(tuple);
	fence();
	if (!refusal || scratch->policy_revision != *(const volatile __u32 *)&settings->policy_revision ||
	    (scratch->policy_revision & POLICY_REVISION_UNSETTLED))
		return 0;
	refusal->source = tuple->source;
	refusal->destination = tuple->destination;
	refusal->origin = scratch->plan.origin;
	__builtin_memcpy(refusal->receiver, ethernet->h_dest, ETH_ALEN);
	refusal->port = tuple->destination_port;
	refusal->protocol = tuple->protocol;
	refusal->policy_revision = scratch->policy_revision;
	refusal->outcome = scratch->plan.outcome;
	refusal->asked = scratch->plan.asked;
	refusal->refused_by = scratch->plan.refused_by;
	refusal->ingress = scratch->judgements[JUDGED_INGRESS];
	refusal->egress = scratch->judgements[JUDGED_EGRESS];
	refusal->until = scratch->refusals_until = packet_time() + REFUSAL_LIFETIME;
	return 0;
}

/* @param connection the packet's, or NULL. @return the packet's connection once everything is written */
static __always_inline struct connection *remember(struct __sk_buff *skb, const struct packet *packet, struct connection *connection,
						   struct plan *plan)
{
	if ((plan->remember == REMEMBER_PACKET || plan->remember == REMEMBER_MOVE) && connection)
		connection = remember_packet(skb, packet, connection, plan);
	else if (plan->remember == REMEMBER_ANSWER && connection)
		remember_answer(connection, packet);
	else if (plan->remember == REMEMBER_OPENING)
		connection = remembered_opening(skb, packet, plan);
	else if (plan->remember == REMEMBER_HOST_REQUEST)
		note_host_request(&packet->tuple);
	else if (plan->remember == REMEMBER_HOST_ANSWER || plan->remember == FORGET_CONNECTION)
		remember_tuple(packet, plan);
	if (plan->is_judged)
		remember_verdict(connection);
	if (connection && connection->service && plan->remember != REMEMBER_NOTHING)
		count_carried(skb, connection, plan);
	return connection;
}
