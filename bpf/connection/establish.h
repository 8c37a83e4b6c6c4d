/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "place.h"
#include "touch.h"

/* When a connection is established: its entries then move from `half_open` to `connections`. */

/* The same for SCTP: the server accepts the cookie that it had sent to the client's address (RFC 9260, 5.1). If this node did not see
 * the association begin (another path of a known association, or an association that is older than this node's tables), it is
 * established when both ends have sent. */
static __always_inline bool is_accepted_by(const struct packet *packet, const struct connection *connection)
{
	if ((packet->tcp_flags & (TCP_SYN | TCP_RST | TCP_ACK)) != TCP_ACK)
		return false;
	if (!connection->sequence)
		return connection->packets >= 2 &&
		       (connection->flags & (CONNECTION_ANSWERED | CONNECTION_REPLY | CONNECTION_FORWARDED));
	if (connection->flags & CONNECTION_FORWARDED)
		return true;
	return (connection->flags & CONNECTION_REPLY) && (packet->tcp_flags & SCTP_ACCEPTED) &&
	       packet->next == connection->next;
}

/* Whether this packet shows that both ends want its connection. TCP: the handshake's last packet acknowledges the backend's sequence
 * number, which a host with a forged source does not know. An entry node in DSR mode does not see the backend's packets: there the third
 * packet is taken as the proof, for every protocol. */
static __always_inline bool is_established_by(struct __sk_buff *skb, const struct packet *packet, const struct connection *connection,
					      const struct connection *other)
{
	if (packet->tuple.protocol == IPPROTO_SCTP)
		return is_accepted_by(packet, connection);
	if (packet->tuple.protocol != IPPROTO_TCP)
		return connection->packets >= 2 &&
		       (connection->flags & (CONNECTION_ANSWERED | CONNECTION_REPLY | CONNECTION_FORWARDED));
	if ((connection->flags & CONNECTION_REPLY) || (packet->tcp_flags & (TCP_SYN | TCP_RST | TCP_ACK)) != TCP_ACK)
		return false;
	if (connection->flags & CONNECTION_FORWARDED)
		return true;
	return other && (connection->flags & CONNECTION_ANSWERED) &&
	       other->next - acknowledged_by(skb, packet) <= SEQUENCE_WINDOW;
}

/* Which directions of a half-open connection move if this packet establishes the connection. */
enum moving {
	MOVES_NONE,
	MOVES_ONE, /* there is no other, or it has moved */
	MOVES_BOTH,
};

static __noinline enum moving directions_to_move(struct __sk_buff *skb, const struct packet *packet, struct connection *connection)
{
	const struct connection *other;
	bool is_here;
	struct tuple key;

	if (!packet || !connection)
		return MOVES_NONE;
	opposite(&key, &packet->tuple, connection);
	other = bpf_map_lookup_elem(&half_open, &key);
	is_here = other;
	if (!other)
		other = bpf_map_lookup_elem(&connections, &key);
	if (!is_established_by(skb, packet, connection, other))
		return MOVES_NONE;
	return is_here ? MOVES_BOTH : MOVES_ONE;
}

/* Moves the entries to the places. @return the entry of the packet's direction; NULL: it could not be written */
static __noinline struct connection *move_to(const struct packet *packet, struct connection *connection, __u32 place, __u32 other_place)
{
	struct scratch *scratch = scratch_get();
	struct connection *other, *established;
	const struct tuple *tuple;
	struct tuple key;

	if (!packet || !connection || !scratch)
		return NULL;
	tuple = tuple_as_key(scratch, &packet->tuple);
	scratch->connection = *connection; /* as little as a map's value */
	if (place_fill(place, tuple, &scratch->connection))
		return NULL;
	if (other_place != NO_PLACE) {
		opposite(&key, &packet->tuple, connection);
		other = bpf_map_lookup_elem(&half_open, &key);
		if (other && !place_fill(other_place, &key, other))
			bpf_map_delete_elem(&half_open, &key);
		else
			place_release(other_place, is_proven(&packet->tuple, connection));
	}
	established = bpf_map_lookup_elem(&connections, tuple);
	if (established)
		bpf_map_delete_elem(&half_open, tuple);
	return established;
}

/* If this packet establishes a half-open connection, its entries move. @return the entry of the packet's direction; NULL: there is no
 * place for it */
static __always_inline struct connection *establish(struct __sk_buff *skb, const struct packet *packet, struct connection *connection)
{
	enum moving moving = directions_to_move(skb, packet, connection);
	__u32 place, other = NO_PLACE;
	bool proven_one;

	if (moving == MOVES_NONE)
		return connection;
	proven_one = is_proven(&packet->tuple, connection);
	place = place_take(proven_one);
	if (place != NO_PLACE && moving == MOVES_BOTH) {
		other = place_take(proven_one);
		if (other == NO_PLACE) {
			place_release(place, proven_one);
			place = NO_PLACE;
		}
	}
	return place == NO_PLACE ? NULL : move_to(packet, connection, place, other);
}
