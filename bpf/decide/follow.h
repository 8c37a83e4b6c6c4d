/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../connection/find.h"
#include "../plan.h"
#include "../policy/judge.h"
#include "refuse.h"

/* Packets of known connections: their entry says what to do. */

static __always_inline enum tunnel_kind forward_kind(__u32 connection_flags)
{
	return connection_flags & CONNECTION_DIRECT_RETURN ? TUNNEL_FORWARD_DIRECT : TUNNEL_FORWARD_VIA;
}

/* The packet belongs to this connection: it is translated as the connection's entry says, and the entry is updated. */
static __always_inline void along(struct packet *packet, struct connection *connection, struct plan *plan)
{
	packet->connection = connection;
	plan->remember = REMEMBER_PACKET;
	if (connection->flags & CONNECTION_TRANSLATED)
		plan->translate = TRANSLATE_PACKET;
}

/* The packet goes to its destination, or through the host's stack. While kube-proxy chooses the backend, the packet is judged behind the
 * stack. */
static __always_inline void send_forward(struct plan *plan, __u32 connection_flags)
{
	if (!(connection_flags & (CONNECTION_VIA_STACK | CONNECTION_REFUSED)))
		return send(plan, EXIT_DESTINATION,
			    connection_flags & CONNECTION_MASQUERADED ? OUTCOME_FORWARD_EXTERNAL : OUTCOME_TO_NETWORK);
	if (connection_flags & CONNECTION_REFUSED)
		return reject(plan, OUTCOME_REJECT_GONE);
	if (connection_flags & CONNECTION_JUDGED_LATER)
		plan->mark = MARK_JUDGE_LATER;
	route_by_stack(plan);
}

/* A reply goes to the client, or to the node where the client's packets enter. @param exit of a reply that is not wrapped */
static __always_inline void send_reply(struct plan *plan, const struct connection *connection, enum exit exit)
{
	if (connection->flags & CONNECTION_VIA_ENTRY)
		return send_wrapped(plan, &connection->node, TUNNEL_RETURN, 0);
	send(plan, exit,
	     connection->flags & CONNECTION_DIRECT_RETURN ? OUTCOME_RETURN_DIRECT
	     : connection->flags & CONNECTION_MASQUERADED ? OUTCOME_RETURN_EXTERNAL
							  : OUTCOME_TO_NETWORK);
}

/* The stack's connection tracking reverses the translation of kube-proxy. A flow that is masqueraded behind the stack has its own source
 * until then, and again before its answers get there. */
static __always_inline void follow_through_stack(__u32 connection_flags, struct plan *plan)
{
	const __u32 answer = CONNECTION_MASQUERADED | CONNECTION_REPLY;

	if ((connection_flags & answer) != answer)
		plan->translate = TRANSLATE_NOTHING;
	if (connection_flags & CONNECTION_REPLY)
		route_by_stack(plan);
	else
		send_forward(plan, connection_flags);
}

/* Whether a packet of a connection travels between a workload's node and its gateway. Otherwise it leaves the cluster from this node. */
static __always_inline bool is_between_gateway(__u32 connection_flags)
{
	return (connection_flags & CONNECTION_BY_GATEWAY) &&
	       !(connection_flags & CONNECTION_MASQUERADED) == !(connection_flags & CONNECTION_REPLY);
}

/* A packet between a workload's node and its gateway. Separate function: its callers have no BPF stack left. */
__global int send_between_gateway(struct plan *plan, const struct connection *connection)
{
	const struct location *workload;
	struct address node;

	if (!plan || !connection)
		return 0;
	node = connection->node;
	if (!(connection->flags & CONNECTION_REPLY)) {
		send_overlay(plan, &node, ENCAPSULATION_VXLAN);
		return 0;
	}
	workload = locate(&node);
	if (workload && !address_is_unset(&workload->node))
		send_overlay(plan, &workload->node, ENCAPSULATION_VXLAN);
	else
		drop(plan, OUTCOME_DROP_UNKNOWN_ENDPOINT);
	return 0;
}

__global int decide_known(struct __sk_buff *skb, struct packet *packet, const struct settings *settings, struct connection *connection,
			  struct plan *plan)
{
	enum outcome verdict;
	__u32 flags;

	if (!skb || !packet || !settings || !connection || !plan)
		return 0;
	trace_known(connection);
	verdict = judge_again(skb, &packet->tuple, settings, connection);
	if (verdict != ALLOWED) {
		drop(plan, verdict);
		return 0;
	}
	if (has_handshake(packet->tuple.protocol) && !next_hop_is_known(connection) &&
	    (backend_is_gone(&packet->tuple, connection) || has_other_egress(&packet->tuple, connection))) {
		refuse_known(packet, settings, connection, plan, OUTCOME_REJECT_GONE);
		return 0;
	}
	along(packet, connection, plan);
	flags = connection->flags;
	if (flags & CONNECTION_FORWARDED)
		send_wrapped(plan, &connection->node, forward_kind(flags), connection->backend);
	else if (is_between_gateway(flags))
		send_between_gateway(plan, connection);
	else if (!(flags & CONNECTION_VIA_STACK))
		flags & CONNECTION_REPLY ? send_reply(plan, connection, EXIT_DESTINATION) : send_forward(plan, flags);
	else
		follow_through_stack(flags, plan);
	return 0;
}

static __always_inline void follow(struct packet *packet, const struct settings *settings, struct connection *connection, struct plan *plan)
{
	struct __sk_buff *skb = packet->skb;

	decide_known(skb, packet, settings, connection, plan);
	restore_pointers(packet, skb, connection);
}
