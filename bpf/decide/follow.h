/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../apply.h"
#include "../policy/judge.h"
#include "../connection/track.h"
#include "../net/rewrite.h"

/* The node's own stack answers for us: a packet to an address of the node on which nothing listens gets a RST, or
 * ICMP port unreachable, with the address the client used. */
static __always_inline int reject_by_stack(struct __sk_buff *skb, enum outcome reason)
{
	bpf_skb_change_type(skb, PACKET_HOST);
	report_refused(skb, reason, NULL);
	return finish(skb, reason, TC_ACT_OK);
}

/* A policy changed since this connection was judged: judge it again at its next packet, in either direction. `tuple` is that
 * packet's, before translation. */
static __always_inline enum outcome judge_again(const struct tuple *tuple, const struct settings *settings,
						struct connection *connection)
{
	enum outcome verdict;
	__u32 revision;

	if (connection->policy_revision == settings->policy_revision ||
	    (connection->flags & (CONNECTION_FORWARDED | CONNECTION_JUDGED_LATER)))
		return OUTCOME_TO_ENDPOINT;
	revision = revision_to_judge_by(settings);
	verdict = judge_connection(tuple, connection);
	if (verdict == OUTCOME_TO_ENDPOINT)
		connection->policy_revision = revision;
	return verdict;
}

static __always_inline enum tunnel_kind forward_kind(__u32 connection_flags)
{
	return connection_flags & CONNECTION_DIRECT_RETURN ? TUNNEL_FORWARD_DIRECT : TUNNEL_FORWARD_VIA;
}

/* Through the host's stack, and judged behind it where kube-proxy decides where it goes. */
static __always_inline int follow_through_stack(struct __sk_buff *skb, __u32 connection_flags)
{
	if (connection_flags & CONNECTION_JUDGED_LATER)
		skb->mark = MARK_JUDGE_LATER;
	return route_by_stack(skb);
}

static __always_inline int follow_reply(struct packet *packet, const struct settings *settings,
					struct connection *connection)
{
	if (connection->flags & CONNECTION_VIA_STACK) /* its connection tracking undoes what kube-proxy translated */
		return route_by_stack(packet->skb);
	if ((connection->flags & CONNECTION_TRANSLATED) && translate_reply(packet, connection))
		return drop(packet->skb, OUTCOME_DROP_MALFORMED);
	if (connection->flags & CONNECTION_VIA_ENTRY) {
		struct wrapping wrapping = wrapping_for(&connection->node, TUNNEL_RETURN,
							return_detail(packet->skb, connection));

		return deliver_wrapped(packet->skb, settings, &wrapping, connection);
	}
	return deliver(packet, settings,
		       connection->flags & CONNECTION_DIRECT_RETURN ? OUTCOME_RETURN_DIRECT : OUTCOME_TO_NETWORK,
		       connection);
}

static __always_inline int follow_forward(struct packet *packet, const struct settings *settings,
					  struct connection *connection)
{
	struct address backend = connection->address;

	if (connection->flags & CONNECTION_FORWARDED) {
		struct wrapping wrapping = wrapping_for(&connection->node, forward_kind(connection->flags),
							connection->backend);

		return deliver_wrapped(packet->skb, settings, &wrapping, connection);
	}
	if ((connection->flags & CONNECTION_TRANSLATED) &&
	    translate_forward(packet, &backend, connection->port, connection->peer_port, connection->flags))
		return drop(packet->skb, OUTCOME_DROP_MALFORMED);
	if (connection->flags & CONNECTION_VIA_STACK) {
		remember_way_to_stack(connection);
		return follow_through_stack(packet->skb, connection->flags);
	}
	return deliver(packet, settings, OUTCOME_TO_NETWORK, connection);
}

/* A packet of a known connection: one lookup has told what is to be done. Apart: its callers' stack is full. */
static __noinline int follow(struct packet *packet, const struct settings *settings, struct connection *connection)
{
	enum outcome verdict;

	if (!packet || !settings || !connection)
		return TC_ACT_SHOT;
	trace_known(connection);
	verdict = judge_again(&packet->tuple, settings, connection);
	if (verdict != OUTCOME_TO_ENDPOINT)
		return drop(packet->skb, verdict);
	if (!way_is_known(connection) && packet->tuple.protocol == IPPROTO_TCP &&
	    backend_is_gone(&packet->tuple, connection))
		return reject_by_stack(packet->skb, OUTCOME_REJECT_GONE);
	connection_touch(connection, packet);
	if (connection->flags & CONNECTION_REPLY)
		return follow_reply(packet, settings, connection);
	return follow_forward(packet, settings, connection);
}
