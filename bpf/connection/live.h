/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../net/packet.h"
#include "table.h"

/* Which connections have ended. */

#define SECOND 1000000000ULL
#define TIMEOUT_TCP_ESTABLISHED (SECONDS_TCP_ESTABLISHED * SECOND)
#define TIMEOUT_TCP_OPENING (SECONDS_TCP_OPENING * SECOND)
#define TIMEOUT_TCP_ONE_FIN (SECONDS_TCP_ONE_FIN * SECOND)
#define TIMEOUT_TCP_CLOSED (SECONDS_TCP_CLOSED * SECOND)
#define TIME_WAIT (60 * SECOND) /* of a host whose end has closed first: Linux */
#define TIMEOUT_SCTP_RESTART (210 * SECOND) /* an association may be idle for longer, but an INIT is a new one's then */
#define TIMEOUT_UDP_ANSWERED (SECONDS_UDP_ANSWERED * SECOND)
#define TIMEOUT_UDP (SECONDS_UDP * SECOND)
#define TIMEOUT_ICMP (SECONDS_ICMP * SECOND)

static __always_inline __u64 connection_timeout(const struct connection *connection, __u8 protocol)
{
	if (protocol == IPPROTO_UDP) /* an entry node may never see the answers */
		return connection->flags & (CONNECTION_ANSWERED | CONNECTION_FORWARDED) ? TIMEOUT_UDP_ANSWERED
											: TIMEOUT_UDP;
	if (!has_handshake(protocol))
		return TIMEOUT_ICMP;
	if (connection->flags & (CONNECTION_CLOSED | CONNECTION_RESET))
		return TIMEOUT_TCP_CLOSED;
	if (connection->flags & CONNECTION_SYN)
		return TIMEOUT_TCP_OPENING;
	if (connection->flags & CONNECTION_FIN)
		return TIMEOUT_TCP_ONE_FIN;
	return TIMEOUT_TCP_ESTABLISHED;
}

static __always_inline bool connection_was_live(const struct connection *connection, __u8 protocol, __u64 time)
{
	/* Signed: another processor may have seen a packet since we looked at the clock. */
	__s64 idle = time - connection->last_seen;

	return idle < (__s64)connection_timeout(connection, protocol);
}

static __always_inline bool connection_is_live(const struct connection *connection, __u8 protocol)
{
	return connection_was_live(connection, protocol, bpf_ktime_get_coarse_ns());
}

/* The entry under which the other direction of `tuple`'s connection is found. */
static __always_inline void opposite(struct tuple *other, const struct tuple *tuple, const struct connection *connection)
{
	*other = reversed(tuple);
	if (connection->flags & CONNECTION_FORWARDED)
		return;
	if (connection->flags & CONNECTION_HAIRPIN) {
		other->source = tuple->source;
		other->destination = tuple->destination;
	}
	if (connection->flags & CONNECTION_MASQUERADED) {
		if (connection->flags & CONNECTION_REPLY)
			other->source = connection->node;
		else
			other->destination = connection->node;
	}
	if (connection->flags & CONNECTION_REPLY) {
		other->source_port = connection->peer_port;
		other->destination = connection->address;
		other->destination_port = connection->port;
		return;
	}
	other->source = connection->address;
	other->source_port = connection->port;
	other->destination_port = connection->peer_port;
}

/* A direction that is silent while the other one sends (a UDP stream) has not ended. */
__global int opposite_is_live(const struct tuple *tuple, const struct connection *connection)
{
	const struct connection *other;
	struct tuple key;

	if (!tuple || !connection)
		return false;
	opposite(&key, tuple, connection);
	other = connection_lookup(&key);
	return other && (other->flags & CONNECTION_REPLY) != (connection->flags & CONNECTION_REPLY) &&
	       connection_is_live(other, tuple->protocol);
}

/* Whether an entry is that of the replies to the direction with `tuple`. */
static __always_inline bool same_connection(const struct connection *reply, const struct tuple *tuple)
{
	if ((reply->flags & CONNECTION_MASQUERADED) && !address_is_equal(&reply->node, &tuple->source))
		return false;
	return (reply->flags & CONNECTION_REPLY) && reply->port == tuple->destination_port &&
	       reply->peer_port == tuple->source_port && address_is_equal(&reply->address, &tuple->destination);
}

/* The connection of which `tuple` is one direction; NULL: there is none, or it has ended. */
static __noinline struct connection *live_connection(const struct tuple *tuple)
{
	struct connection *connection;

	if (!tuple)
		return NULL;
	connection = connection_lookup(tuple);
	if (!connection || (!connection_is_live(connection, tuple->protocol) && !opposite_is_live(tuple, connection)))
		return NULL;
	return connection;
}

/* The live connection of a client that this node forwarded to `node`; NULL: there is none. */
static __always_inline struct connection *forwarded_connection(const struct tuple *tuple, const struct address *node)
{
	struct connection *connection = live_connection(tuple);

	if (!connection || !(connection->flags & CONNECTION_FORWARDED) || !address_is_equal(&connection->node, node))
		return NULL;
	return connection;
}
