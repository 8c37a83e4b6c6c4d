/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../service/backend.h"
#include "next_hop.h"

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
	if (connection->flags & (CONNECTION_CLOSED | CONNECTION_RESET))
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
	struct tuple other = reversed(tuple);

	if (connection->flags & CONNECTION_FORWARDED)
		return other;
	if (connection->flags & CONNECTION_HAIRPIN) {
		other.source = tuple->source;
		other.destination = tuple->destination;
	}
	if (connection->flags & CONNECTION_REPLY) {
		other.source_port = connection->peer_port;
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
	other = connection_lookup(&key);
	return other && (other->flags & CONNECTION_REPLY) != (connection->flags & CONNECTION_REPLY) &&
	       connection_is_live(other, tuple->protocol);
}

/* The connection in whose direction `tuple` is; NULL: there is none, or it is over. */
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

/* Both directions' processors change flags, so that each change must leave the others' alone. */
static __always_inline void flags_set(struct connection *connection, __u32 flags)
{
	__sync_fetch_and_or(&connection->flags, flags);
}

static __always_inline void flags_clear(struct connection *connection, __u32 flags)
{
	__sync_fetch_and_and(&connection->flags, ~flags);
}

/* Anybody can send a FIN or a RST with a client's address; only the two ends know the sequence numbers. A closing packet
 * counts that is as near to what its direction has sent as a receiver's window (RFC 9293, 3.10.7.4, as far as it can be told
 * from one direction, which is all that an entry node sees). It goes on to the other end in any case, which judges exactly. */
#define SEQUENCE_WINDOW (1u << 16)

/* How far segments run ahead of the one before. */
#define SEQUENCE_AHEAD (1u << 18)

static __always_inline bool sequence_fits(const struct connection *connection, const struct packet *packet)
{
	return packet->next - connection->next + SEQUENCE_WINDOW <= 2 * SEQUENCE_WINDOW;
}

/* What a TCP packet acknowledges, in host byte order; 0 where it says nothing. */
static __always_inline __u32 acknowledged_by(const struct packet *packet)
{
	__be32 number = 0;

	if (!(packet->tcp_flags & TCP_ACK) ||
	    bpf_skb_load_bytes(packet->skb, packet->l4_offset + offsetof(struct tcphdr, ack_seq), &number, sizeof(number)))
		return 0;
	return bpf_ntohl(number);
}

/* A refusal is its direction's first packet: it has to acknowledge what the other one sent. */
static __always_inline bool may_close(const struct packet *packet, const struct connection *connection,
				      const struct connection *other)
{
	if (connection->packets > 1)
		return sequence_fits(connection, packet);
	return other && acknowledged_by(packet) == other->next;
}

/* Only the rare packets (first answer, FIN, RST) touch the other direction's entry. */
static __noinline int tell_other_direction(const struct packet *packet, struct connection *connection)
{
	bool closing = packet && (packet->tcp_flags & (TCP_FIN | TCP_RST));
	struct connection *other;
	struct tuple key;

	if (!packet || !connection)
		return 0;
	key = opposite(&packet->tuple, connection);
	other = connection_lookup(&key);
	closing = closing && may_close(packet, connection, other);
	if (other)
		flags_set(other, CONNECTION_ANSWERED);
	if (!closing)
		return 0;
	if (packet->tcp_flags & TCP_RST) {
		flags_set(connection, CONNECTION_RESET);
		if (other)
			flags_set(other, CONNECTION_RESET);
		return 0;
	}
	flags_set(connection, CONNECTION_FIN);
	if (other && (other->flags & CONNECTION_FIN)) {
		flags_set(connection, CONNECTION_CLOSED);
		flags_set(other, CONNECTION_CLOSED);
	}
	return 0;
}

/* Follows what this direction has sent: forwards only, and not in leaps that a stranger could make. */
static __always_inline void follow_sequence(struct connection *connection, const struct packet *packet)
{
	if (connection->packets == 1 || packet->next - connection->next - 1 < SEQUENCE_AHEAD)
		connection->next = packet->next;
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
	/* Who goes on after a RST did not believe it: a forged one costs nothing. */
	if ((connection->flags & CONNECTION_RESET) && !(packet->tcp_flags & (TCP_SYN | TCP_RST)))
		flags_clear(connection, CONNECTION_RESET);
	if (closing || first_answer)
		tell_other_direction(packet, connection);
	if (packet->tuple.protocol == IPPROTO_TCP && packet->l4_present)
		follow_sequence(connection, packet);
}

/* Whether both ends are known to want the connection of which this packet is. TCP: the handshake's last packet names what
 * the backend said, which nobody knows who only pretends to be the client. An entry node in DSR mode does not hear the
 * backend: the third packet must do, of any protocol. */
static __always_inline bool is_established_by(const struct packet *packet, const struct connection *connection,
					      const struct connection *other)
{
	if (packet->tuple.protocol != IPPROTO_TCP)
		return connection->packets >= 2 &&
		       (connection->flags & (CONNECTION_ANSWERED | CONNECTION_REPLY | CONNECTION_FORWARDED));
	if ((connection->flags & CONNECTION_REPLY) || (packet->tcp_flags & (TCP_SYN | TCP_RST | TCP_ACK)) != TCP_ACK)
		return false;
	if (connection->flags & CONNECTION_FORWARDED)
		return true;
	return other && (connection->flags & CONNECTION_ANSWERED) &&
	       other->next - acknowledged_by(packet) <= SEQUENCE_WINDOW;
}

/* The entry of a connection that was not established before this packet; NULL: there is none. */
static __noinline struct connection *find_half_open(const struct packet *packet)
{
	struct connection *connection, *other;
	struct tuple key;

	if (!packet)
		return NULL;
	connection = bpf_map_lookup_elem(&half_open, &packet->tuple);
	if (!connection)
		return NULL;
	key = opposite(&packet->tuple, connection);
	other = bpf_map_lookup_elem(&half_open, &key);
	if (!is_established_by(packet, connection, other))
		return connection;
	if (other && !bpf_map_update_elem(&connections, &key, other, BPF_ANY))
		bpf_map_delete_elem(&half_open, &key);
	if (bpf_map_update_elem(&connections, &packet->tuple, connection, BPF_ANY))
		return connection;
	bpf_map_delete_elem(&half_open, &packet->tuple);
	return bpf_map_lookup_elem(&connections, &packet->tuple);
}

/* Whether a SYN belongs to the connection that has its ports. While that is not established: a retransmission, which must
 * reach the backend that the first SYN reached; with another sequence number it is a client that was refused and tries
 * again, and an entry node does not see the refusal. Of an established one anybody may have forged it: it goes the way of
 * that connection, and its backend answers with a challenge (RFC 5961, 4). Who has really forgotten the connection resets it
 * then, and his next SYN opens a new one. */
static __always_inline bool is_syn_of(const struct connection *connection, const struct packet *packet)
{
	if (connection->flags & (CONNECTION_CLOSED | CONNECTION_RESET))
		return false;
	if (connection->flags & CONNECTION_SYN)
		return !(connection->flags & CONNECTION_REPLY) && connection->sequence == packet->sequence;
	/* An entry node does not see the other side's FIN. */
	return (connection->flags & (CONNECTION_FORWARDED | CONNECTION_FIN)) != (CONNECTION_FORWARDED | CONNECTION_FIN);
}

/* The live connection a packet belongs to, or NULL: the packet opens a new one. What may open a connection and finds its
 * backend gone is given another. */
static __always_inline struct connection *connection_find(const struct packet *packet)
{
	struct connection *connection = bpf_map_lookup_elem(&connections, &packet->tuple);

	if (!connection)
		connection = find_half_open(packet);
	if (!connection)
		return NULL;
	if (!connection_is_live(connection, packet->tuple.protocol) && !opposite_is_live(&packet->tuple, connection))
		return NULL;
	if (packet_is_syn(packet) && !is_syn_of(connection, packet))
		return NULL;
	if (packet_may_open(packet) && !way_is_known(connection) &&
	    (backend_is_gone(&packet->tuple, connection) || service_was_added(&packet->tuple, connection)))
		return NULL;
	return connection;
}
