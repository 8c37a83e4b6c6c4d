/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../clock.h"
#include "live.h"
#include <linux/tcp.h>

/* Follows a connection's state by its packets. */

/* The processors that handle the two directions change flags at the same time, so each change must leave the other flags alone. */
static __always_inline void flags_set(struct connection *connection, __u32 flags)
{
	__sync_fetch_and_or(&connection->flags, flags);
}

static __always_inline void flags_clear(struct connection *connection, __u32 flags)
{
	__sync_fetch_and_and(&connection->flags, ~flags);
}

/* Any host can send a FIN or a RST with a client's address; only the two ends know the sequence numbers. A closing packet counts if it
 * is within a receiver's window of what its direction has sent (RFC 9293, 3.10.7.4, as far as one direction shows, which is all that
 * an entry node sees). The packet is delivered in any case, and the other end checks exactly. */
#define SEQUENCE_WINDOW (1u << 16)

/* How far a segment may run ahead of the previous one. */
#define SEQUENCE_AHEAD (1u << 18)

static __always_inline bool sequence_fits(const struct connection *connection, const struct packet *packet)
{
	return packet->next - connection->next + SEQUENCE_WINDOW <= 2 * SEQUENCE_WINDOW;
}

/* The number that a TCP packet acknowledges, in host byte order; 0 where it acknowledges none. */
static __always_inline __u32 acknowledged_by(struct __sk_buff *skb, const struct packet *packet)
{
	__be32 number = 0;

	if (!(packet->tcp_flags & TCP_ACK) ||
	    bpf_skb_load_bytes(skb, packet->l4_offset + offsetof(struct tcphdr, ack_seq), &number, sizeof(number)))
		return 0;
	return bpf_ntohl(number);
}

/* The tag that a closing packet of SCTP must carry (RFC 9260, 8.5.1): the tag of its direction, or, from an end that has no such
 * association, the tag of the packet that it answers. Only the two ends know these tags. An entry node knows the client's tag from the
 * INIT. */
static __always_inline bool has_right_tag(const struct packet *packet, const struct connection *connection,
					  const struct connection *other)
{
	__u32 tag = connection->next;

	if (packet->tcp_flags & SCTP_REFLECTED)
		tag = connection->flags & CONNECTION_FORWARDED ? bpf_ntohl(connection->sequence) : other ? other->next : 0;
	return tag && packet->next == tag;
}

/* A refusal is the first packet of its direction: it has to acknowledge what the other direction sent. */
static __always_inline bool may_close(struct __sk_buff *skb, const struct packet *packet, const struct connection *connection,
				      const struct connection *other)
{
	if (packet->tuple.protocol == IPPROTO_SCTP)
		return has_right_tag(packet, connection, other);
	if (connection->packets > 1)
		return sequence_fits(connection, packet);
	return other && acknowledged_by(skb, packet) == other->next;
}

/* The server's INIT ACK contains the tag of the client's packets. An INIT ACK of an association that exists is ignored: a server also
 * answers a forged INIT. */
static __always_inline bool is_init_ack(const struct packet *packet)
{
	return packet->tuple.protocol == IPPROTO_SCTP && (packet->tcp_flags & TCP_SYN) && (packet->tcp_flags & TCP_ACK);
}

static __always_inline bool tells_tag(const struct packet *packet, const struct connection *connection)
{
	return is_init_ack(packet) && packet->is_half_open && packet->next == connection->next;
}

/* Only rare packets (first answer, INIT ACK, FIN, RST) change the other direction's entry. */
__global int update_other_direction(struct __sk_buff *skb, const struct packet *packet, struct connection *connection)
{
	bool closing = packet && (packet->tcp_flags & (TCP_FIN | TCP_RST));
	struct connection *other;
	struct tuple key;

	if (!skb || !packet || !connection)
		return 0;
	opposite(&key, &packet->tuple, connection);
	other = connection_lookup(&key);
	closing = closing && may_close(skb, packet, connection, other);
	if (other)
		flags_set(other, CONNECTION_ANSWERED);
	if (other && tells_tag(packet, connection))
		other->next = bpf_ntohl(packet->sequence);
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

/* Follows the sequence numbers of this direction: only forwards, and not in steps that an outsider could choose. */
static __always_inline void follow_sequence(struct connection *connection, const struct packet *packet)
{
	if (connection->packets == 1 || packet->next - connection->next - 1 < SEQUENCE_AHEAD)
		connection->next = packet->next;
}

/* Learns a direction's tag from its first packet that ends nothing, if no INIT ACK was seen: at an entry node, and for an association
 * that this node did not see begin. */
static __always_inline void follow_tag(struct connection *connection, const struct packet *packet)
{
	if (!connection->next && (!connection->sequence || (connection->flags & CONNECTION_FORWARDED)) &&
	    !(packet->tcp_flags & (TCP_FIN | TCP_RST)))
		connection->next = packet->next;
}

/* An INIT of an association that exists: from a client that begins again, or forged. It does not keep the association alive (find.h). */
static __always_inline bool is_restart(const struct packet *packet)
{
	return packet->tuple.protocol == IPPROTO_SCTP && !packet->is_half_open && packet_is_syn(packet);
}

/* The same as connection_touch(), for a packet that opens, answers and ends nothing. */
static __always_inline void connection_carries(struct connection *connection, const struct packet *packet)
{
	connection->last_seen = packet_time();
	connection->packets++;
	if (packet->tuple.protocol == IPPROTO_TCP)
		follow_sequence(connection, packet);
}

/* Notes that a packet of this connection passed. */
static __always_inline void connection_touch(struct __sk_buff *skb, struct connection *connection, const struct packet *packet)
{
	bool closing = packet->tcp_flags & (TCP_FIN | TCP_RST);
	bool first_answer = (connection->flags & CONNECTION_REPLY) && !connection->packets;

	if (!is_restart(packet))
		connection->last_seen = packet_time();
	connection->packets++;
	if ((connection->flags & CONNECTION_SYN) && !packet_is_syn(packet))
		flags_clear(connection, CONNECTION_SYN);
	/* A sender that continues after a RST has ignored that RST as forged. */
	if ((connection->flags & CONNECTION_RESET) && !(packet->tcp_flags & (TCP_SYN | TCP_RST)))
		flags_clear(connection, CONNECTION_RESET);
	if (closing || first_answer || is_init_ack(packet))
		update_other_direction(skb, packet, connection);
	if (packet->tuple.protocol == IPPROTO_TCP && packet->l4_present)
		follow_sequence(connection, packet);
	if (packet->tuple.protocol == IPPROTO_SCTP)
		follow_tag(connection, packet);
}
