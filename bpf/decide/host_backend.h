/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "after_stack.h"
#include "error.h"
#include "follow.h"

/* Packets that the node's stack sends for backends in the node's own network: replies, and errors about packets that were translated to
 * these backends. */

static __always_inline bool is_reply_of_host_backend(const struct connection *connection)
{
	const __u32 flags = CONNECTION_REPLY | CONNECTION_HOST_BACKEND;

	return connection && (connection->flags & flags) == flags;
}

static __always_inline void reply_of_host_backend(struct packet *packet, const struct settings *settings, struct connection *connection,
						  struct plan *plan)
{
	enum outcome verdict;

	trace_known(connection);
	verdict = has_host_policies(settings) ? judge_again(packet->skb, &packet->tuple, settings, connection) : ALLOWED;
	if (verdict != ALLOWED)
		return drop(plan, verdict);
	along(packet, connection, plan);
	send_reply(plan, connection, EXIT_PASS);
}

/* An error that this node's stack sends. If a client's packet was translated before the stack received it (a backend in the node's
 * network has no such port), the client knows only the address that it used. */
static __always_inline void decide_error_of_stack(struct packet *packet, const struct settings *settings, struct plan *plan)
{
	const __u32 flags = CONNECTION_REPLY | CONNECTION_TRANSLATED;
	const struct connection *connection;
	enum outcome verdict;

	if (!is_made_here(packet->skb, settings, &packet->tuple.source))
		return pass_to_stack(plan);
	verdict = relate_error(packet, settings, NULL, plan);
	connection = packet->connection;
	if (verdict == ALLOWED && connection && (connection->flags & (flags | CONNECTION_VIA_STACK)) == flags)
		return send_reply(plan, connection, EXIT_PASS);
	if (verdict != ALLOWED && verdict != OUTCOME_DROP_UNRELATED)
		return drop(plan, verdict);
	plan->translate = TRANSLATE_NOTHING;
	pass_to_stack(plan);
}
