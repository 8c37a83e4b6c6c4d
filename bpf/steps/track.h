/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "choose.h"

/* Not shorter than with kube-proxy (README.md has both). Nothing is swept, so a long one costs no memory. */
#define SECOND 1000000000ULL
#define TIMEOUT_TCP_ESTABLISHED (86400 * SECOND)
#define TIMEOUT_TCP_OPENING (60 * SECOND)
#define TIMEOUT_TCP_ONE_FIN (3600 * SECOND)
#define TIMEOUT_TCP_CLOSED (120 * SECOND) /* longer than the backend's TIME_WAIT: see remember.h */
#define TIMEOUT_UDP_ANSWERED (180 * SECOND)
#define TIMEOUT_UDP (60 * SECOND)
#define TIMEOUT_ICMP (30 * SECOND)

static __always_inline __u64 connection_timeout(const struct connection *connection, __u8 protocol)
{
	if (protocol == IPPROTO_UDP) /* an entry node may never see the answers */
		return connection->flags & (CONNECTION_ANSWERED | CONNECTION_FORWARDED) ? TIMEOUT_UDP_ANSWERED
											: TIMEOUT_UDP;
	if (protocol != IPPROTO_TCP)
		return TIMEOUT_ICMP;
	if (connection->flags & CONNECTION_CLOSED)
		return TIMEOUT_TCP_CLOSED;
	if (connection->flags & CONNECTION_SYN)
		return TIMEOUT_TCP_OPENING;
	if (connection->flags & CONNECTION_FIN)
		return TIMEOUT_TCP_ONE_FIN;
	return TIMEOUT_TCP_ESTABLISHED;
}

static __always_inline bool connection_is_live(const struct connection *connection, __u8 protocol)
{
	/* Signed: another processor may have seen a packet since we looked at the clock. */
	__s64 idle = bpf_ktime_get_coarse_ns() - connection->last_seen;

	return idle < (__s64)connection_timeout(connection, protocol);
}

/* The entry under which the other direction of `tuple`'s connection is found. */
static __always_inline struct tuple opposite(const struct tuple *tuple, const struct connection *connection)
{
	struct tuple other = {
		.source = tuple->destination,
		.destination = tuple->source,
		.source_port = tuple->destination_port,
		.destination_port = tuple->source_port,
		.protocol = tuple->protocol,
	};

	if (connection->flags & CONNECTION_FORWARDED)
		return other;
	if (connection->flags & CONNECTION_REPLY) {
		other.source_port = connection->peer_port;
		other.source = tuple->destination;
		other.destination = connection->address;
		other.destination_port = connection->port;
		return other;
	}
	other.source = connection->address;
	other.source_port = connection->port;
	other.destination_port = connection->peer_port;
	return other;
}

/* A direction that is silent while the other one talks (a UDP stream) is not over. */
static __noinline bool opposite_is_live(const struct tuple *tuple, const struct connection *connection)
{
	const struct connection *other;
	struct tuple key;

	if (!tuple || !connection)
		return false;
	key = opposite(tuple, connection);
	other = bpf_map_lookup_elem(&connections, &key);
	return other && (other->flags & CONNECTION_REPLY) != (connection->flags & CONNECTION_REPLY) &&
	       connection_is_live(other, tuple->protocol);
}

/* The connection in whose direction `tuple` is; NULL: there is none, or it is over. */
static __noinline struct connection *live_connection(const struct tuple *tuple)
{
	struct connection *connection;

	if (!tuple)
		return NULL;
	connection = bpf_map_lookup_elem(&connections, tuple);
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

/* Both directions' processors change flags, so that each change must leave the others' alone. */
static __always_inline void flags_set(struct connection *connection, __u32 flags)
{
	__sync_fetch_and_or(&connection->flags, flags);
}

static __always_inline void flags_clear(struct connection *connection, __u32 flags)
{
	__sync_fetch_and_and(&connection->flags, ~flags);
}

/* Only the rare packets (first answer, FIN, RST) touch the other direction's entry. */
static __noinline int tell_other_direction(const struct tuple *tuple, struct connection *connection, bool closing, bool reset)
{
	struct connection *other;
	struct tuple key;

	if (!tuple || !connection)
		return 0;
	key = opposite(tuple, connection);
	other = bpf_map_lookup_elem(&connections, &key);
	if (reset)
		flags_set(connection, CONNECTION_CLOSED);
	if (!other)
		return 0;
	flags_set(other, CONNECTION_ANSWERED);
	if (reset || (closing && (other->flags & CONNECTION_FIN))) {
		flags_set(connection, CONNECTION_CLOSED);
		flags_set(other, CONNECTION_CLOSED);
	}
	return 0;
}

/* Notes that a packet of this connection passed. */
static __always_inline void connection_touch(struct connection *connection, const struct packet *packet)
{
	bool closing = packet->tcp_flags & (TCP_FIN | TCP_RST);
	bool first_answer = (connection->flags & CONNECTION_REPLY) && !connection->packets;

	connection->last_seen = bpf_ktime_get_coarse_ns();
	connection->packets++;
	if ((connection->flags & CONNECTION_SYN) && !packet_is_syn(packet))
		flags_clear(connection, CONNECTION_SYN);
	if (!closing && !first_answer)
		return;
	if (closing)
		flags_set(connection, CONNECTION_FIN);
	tell_other_direction(&packet->tuple, connection, closing, packet->tcp_flags & TCP_RST);
}

/* The backend left the cluster, or the service no longer has it. A datagram has no connection to lose: for UDP a
 * draining backend is gone too. */
static __always_inline bool backend_is_gone(const struct connection *connection, __u8 protocol)
{
	__u32 id = connection->backend;
	const struct backend *backend;

	if (!id || (connection->flags & CONNECTION_REPLY))
		return false;
	backend = bpf_map_lookup_elem(&backends, &id);
	return !backend || (protocol != IPPROTO_TCP && (backend->flags & BACKEND_DRAINING));
}

/* A retransmission must reach the backend that the first SYN reached. With another sequence number it is a client that was
 * refused and tries again from the same port; an entry node does not see the refusal. */
static __always_inline bool is_syn_again(const struct connection *connection, const struct packet *packet)
{
	return (connection->flags & (CONNECTION_SYN | CONNECTION_REPLY | CONNECTION_CLOSED)) == CONNECTION_SYN &&
	       connection->sequence == packet->sequence;
}

/* The live connection a packet belongs to, or NULL: the packet opens a new one. A SYN starts anew whatever entry it
 * meets, unless that one has seen nothing but this SYN. What may open a connection and finds its backend gone is given
 * another. */
static __always_inline struct connection *connection_find(const struct packet *packet)
{
	struct connection *connection = bpf_map_lookup_elem(&connections, &packet->tuple);

	if (!connection)
		return NULL;
	if (!connection_is_live(connection, packet->tuple.protocol) && !opposite_is_live(&packet->tuple, connection))
		return NULL;
	if (packet_is_syn(packet) && !is_syn_again(connection, packet))
		return NULL;
	if (packet_may_open(packet) && backend_is_gone(connection, packet->tuple.protocol))
		return NULL;
	return connection;
}
