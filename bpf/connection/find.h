/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../service/backend.h"
#include "../clock.h"
#include "../egress.h"
#include "next_hop.h"

/* The connection that a packet belongs to. */

/* Whether an INIT may be of the association that has its ports. If so, the association begins again (RFC 9260, 5.2.2), and only its
 * backend can tell that from a forged INIT. No node answers for a backend that has lost its association. So INITs do not keep the
 * association alive (touch.h): once the client has been silent for long enough, its INIT opens a new one. */
static __always_inline bool may_restart(const struct connection *connection, const struct packet *packet)
{
	return !packet->is_half_open &&
	       (__s64)(packet_time() - connection->last_seen) < (__s64)TIMEOUT_SCTP_RESTART;
}

/* Whether a SYN belongs to the connection that has its ports. On a connection that is not established, a SYN with the same sequence
 * number is a retransmission, which must reach the backend that the first SYN reached. A SYN with another number is from a client that
 * was refused and tries again: an entry node does not see the refusal. On an established connection any host may have forged the SYN: it
 * follows that connection, and the backend answers with a challenge ACK (RFC 5961, 4). A client that has lost the connection then resets
 * it, and its next SYN opens a new one. */
static __always_inline bool is_syn_of(const struct connection *connection, const struct packet *packet)
{
	if (connection->flags & (CONNECTION_CLOSED | CONNECTION_RESET))
		return false;
	if (connection->flags & CONNECTION_SYN)
		return !(connection->flags & CONNECTION_REPLY) && connection->sequence == packet->sequence;
	if (packet->tuple.protocol == IPPROTO_SCTP && !may_restart(connection, packet))
		return false;
	/* An entry node does not see the FIN of the other side. */
	return (connection->flags & (CONNECTION_FORWARDED | CONNECTION_FIN)) != (CONNECTION_FORWARDED | CONNECTION_FIN);
}

/* Whether the connection's packets are answered by this node's stack, in place of a backend. */
static __always_inline bool is_refused(const struct connection *connection)
{
	return (connection->flags & (CONNECTION_REFUSED | CONNECTION_REPLY)) == CONNECTION_REFUSED;
}

/* Whether the answers of a masqueraded flow no longer find its entry, because that entry made room for others or now belongs to another
 * flow. The flow then gets another port. Otherwise its sender would wait for answers for as long as it sends. */
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

/* The live connection a packet belongs to; NULL: the packet opens a new one. A packet that may open a connection gets another backend if
 * the connection's backend is gone. */
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
