/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "touch.h"

/* When a connection is established: it moves from `half_open` to `connections`. */

/* The same for SCTP: the server accepts the cookie that it had sent to the client's address (RFC 9260, 5.1). An association that was
 * not seen to begin (a further path of one, or one older than this node's tables) is one when both ends have sent. */
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

/* Whether both ends are known to want the connection of which this packet is. TCP: the handshake's last packet repeats
 * the backend's number, which a host with a forged source does not know. An entry node in DSR mode does not hear the
 * backend: the third packet must do, of any protocol. */
static __always_inline bool is_established_by(const struct packet *packet, const struct connection *connection,
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
	       other->next - acknowledged_by(packet) <= SEQUENCE_WINDOW;
}

/* Moves both directions of a half-open connection if this packet establishes it. @return the entry of the packet's direction */
static __noinline struct connection *establish(const struct packet *packet, struct connection *connection)
{
	struct connection *other, *established;
	struct tuple key;

	if (!packet || !connection)
		return NULL;
	opposite(&key, &packet->tuple, connection);
	other = bpf_map_lookup_elem(&half_open, &key);
	if (!is_established_by(packet, connection, other))
		return connection;
	if (other && !bpf_map_update_elem(&connections, &key, other, BPF_ANY))
		bpf_map_delete_elem(&half_open, &key);
	if (bpf_map_update_elem(&connections, &packet->tuple, connection, BPF_ANY))
		return connection;
	established = bpf_map_lookup_elem(&connections, &packet->tuple);
	if (!established)
		return connection;
	bpf_map_delete_elem(&half_open, &packet->tuple);
	return established;
}
