/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../service/backend.h"
#include "../clock.h"
#include "../egress.h"
#include "next_hop.h"

/* The connection that a packet belongs to. */

/* Whether an INIT may be of the association that has its ports: it begins again (RFC 9260, 5.2.2), which only its backend can tell from a
 * forged one. Nobody answers that a backend has lost its association, so a client that is silent for long enough begins a new
 * one: INITs do not keep it alive (touch.h). */
static __always_inline bool may_restart(const struct connection *connection, const struct packet *packet)
{
	return !packet->is_half_open &&
	       (__s64)(packet_time() - connection->last_seen) < (__s64)TIMEOUT_SCTP_RESTART;
}

/* Whether a SYN belongs to the connection that has its ports. While that is not established: a retransmission, which must
 * reach the backend that the first SYN reached; with another sequence number it is a client that was refused and tries
 * again, and an entry node does not see the refusal. On an established connection any host may have forged it: it follows
 * that connection, and its backend answers with a challenge ACK (RFC 5961, 4). A client that has lost the connection resets it then,
 * and its next SYN opens a new one. */
static __always_inline bool is_syn_of(const struct connection *connection, const struct packet *packet)
{
	if (connection->flags & (CONNECTION_CLOSED | CONNECTION_RESET))
		return false;
	if (connection->flags & CONNECTION_SYN)
		return !(connection->flags & CONNECTION_REPLY) && connection->sequence == packet->sequence;
	if (packet->tuple.protocol == IPPROTO_SCTP && !may_restart(connection, packet))
		return false;
	/* An entry node does not see the other side's FIN. */
	return (connection->flags & (CONNECTION_FORWARDED | CONNECTION_FIN)) != (CONNECTION_FORWARDED | CONNECTION_FIN);
}

/* Whether the connection's packets are answered by this node's stack, in place of a backend. */
static __always_inline bool is_refused(const struct connection *connection)
{
	return (connection->flags & (CONNECTION_REFUSED | CONNECTION_REPLY)) == CONNECTION_REFUSED;
}

/* Whether the answers of a masqueraded flow no longer find it: their entry has made room for others, or is another flow's now. It gets
 * another port then, or its sender would wait for answers for as long as it asks. */
__global bool has_lost_answers(const struct tuple *tuple, const struct connection *connection)
{
	const struct connection *answers;
	struct tuple key;

	if (!tuple || !connection || (connection->flags & (CONNECTION_MASQUERADED | CONNECTION_REPLY)) != CONNECTION_MASQUERADED)
		return false;
	opposite(&key, tuple, connection);
	answers = bpf_map_lookup_elem(&half_open, &key); /* first: an entry is written to the other table before it leaves this one */
	if (!answers)
		answers = bpf_map_lookup_elem(&connections, &key);
	return !answers || !same_connection(answers, tuple);
}

/* The live connection a packet belongs to, or NULL: the packet opens a new one. A packet that may open a connection
 * gets another backend if its own is gone. */
static __always_inline struct connection *connection_find(struct packet *packet)
{
	struct connection *connection = bpf_map_lookup_elem(&connections, &packet->tuple);

	if (!connection) {
		connection = bpf_map_lookup_elem(&half_open, &packet->tuple);
		if (!connection)
			return NULL;
		packet->is_half_open = true;
	}
	packet->is_tried_again = packet_is_syn(packet) && (connection->flags & (CONNECTION_SYN | CONNECTION_RESET));
	if (!connection_was_live(connection, packet->tuple.protocol, packet_time()) && !opposite_is_live(&packet->tuple, connection))
		return NULL;
	if (packet_is_syn(packet) && !is_syn_of(connection, packet))
		return NULL;
	if (packet_may_open(packet) && is_refused(connection)) /* perhaps there is a backend now */
		return NULL;
	if (packet_may_open(packet) && !next_hop_is_known(connection) &&
	    (backend_is_gone(&packet->tuple, connection) || service_was_added(&packet->tuple, connection) ||
	     has_lost_answers(&packet->tuple, connection) || has_other_egress(&packet->tuple, connection)))
		return NULL;
	return connection;
}
