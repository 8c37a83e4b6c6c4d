/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "connection/establish.h"
#include "connection/move.h"
#include "connection/open.h"
#include "observe/report.h"
#include "observe/trace.h"
#include "plan.h"
#include "policy/judge.h"
#include "service/affinity.h"
#include "service/note_host_request.h"

/* Writes what a plan has to be remembered of its packet. */

/* The entry node's own entry learns that its connection is answered. */
static __always_inline void remember_answer(struct connection *connection, const struct packet *packet)
{
	connection->last_seen = bpf_ktime_get_coarse_ns();
	if (!(connection->flags & CONNECTION_ANSWERED))
		flags_set(connection, CONNECTION_ANSWERED);
	if (packet->tcp_flags & TCP_RST)
		flags_set(connection, CONNECTION_RESET);
}

/* Writes the new connection. If that fails, the packet is dropped. */
static __step int remember_opening(struct packet *packet, struct plan *plan)
{
	struct scratch *scratch = scratch_get();
	enum outcome written;

	if (!packet || !plan || !scratch)
		return 0;
	written = connection_open(packet, &scratch->opening);
	if (written != ALLOWED) {
		if (scratch->opening.flags & CONNECTION_FORWARDED)
			drop(plan, written);
		else
			drop_flow(plan, written);
		return 0;
	}
	packet->connection = &scratch->connection;
	if (scratch->opening.affine_list)
		remember_affinity(scratch->opening.affine_list, &packet->tuple.source, scratch->opening.backend_id);
	if (scratch->connection.flags & CONNECTION_TRANSLATED)
		plan->translate = TRANSLATE_PACKET;
	trace_peer_port(&packet->tuple, scratch->connection.peer_port);
	if (!(scratch->connection.flags & CONNECTION_REFUSED))
		report_opened(&packet->tuple, packet->skb->ifindex);
	return 0;
}

/* A connection that cannot be established is half open until its ends give up, or there is room. */
static __always_inline void remember_packet(struct packet *packet, struct plan *plan)
{
	if (packet->is_half_open)
		packet->connection = establish(packet, packet->connection);
	if (!packet->connection) {
		drop(plan, OUTCOME_DROP_CONNECTION_TABLE_FULL);
		return;
	}
	if (plan->origin_is_known)
		packet->connection->origin = plan->origin;
	connection_touch(packet->connection, packet);
	if (plan->remember == REMEMBER_MOVE)
		connection_move(packet, packet->connection);
}

/* Separate function: only the first packet after a policy has changed needs it. */
static __step int remember_verdict(struct connection *connection, const struct settings *settings)
{
	const struct scratch *scratch = scratch_get();

	if (connection && settings && scratch)
		note_verdict(settings, scratch, &connection->policy_revision, &connection->ends_revision);
	return 0;
}

static __always_inline void remember(struct packet *packet, const struct settings *settings, struct plan *plan)
{
	if ((plan->remember == REMEMBER_PACKET || plan->remember == REMEMBER_MOVE) && packet->connection)
		remember_packet(packet, plan);
	else if (plan->remember == REMEMBER_ANSWER && packet->connection)
		remember_answer(packet->connection, packet);
	else if (plan->remember == REMEMBER_OPENING)
		remember_opening(packet, plan);
	else if (plan->remember == REMEMBER_HOST_REQUEST)
		note_host_request(&packet->tuple);
	else if (plan->remember == REMEMBER_HOST_ANSWER)
		note_host_answer(&packet->tuple);
	else if (plan->remember == FORGET_CONNECTION)
		connection_forget(&packet->tuple);
	if (plan->is_judged)
		remember_verdict(packet->connection, settings);
}
