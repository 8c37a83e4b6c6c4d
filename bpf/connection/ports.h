/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../net/hash.h"
#include "../net/socket.h"
#include "../scratch.h"
#include "../service/choose.h"
#include "live.h"

/* Ports of this node that replace a client's own port. */

#define PORT_TRIES 8
#define PORT_FIRST 32768

/* After this, few still wait for the answer to a datagram: a resolver asks again after 5 s. */
#define TIMEOUT_ANSWER (5 * SECOND)

/* Whether a connection keeps the port that replaces its client's. These ports are scarce: a closed connection keeps its port no longer
 * than the other end's TIME_WAIT lasts, and where all are in use, a single question does so no longer than anybody waits for its answer. */
static __always_inline bool keeps_port(const struct connection *connection, __u8 protocol, bool is_crowded)
{
	const __u32 over = CONNECTION_CLOSED | CONNECTION_RESET;
	__s64 idle = bpf_ktime_get_coarse_ns() - connection->last_seen;

	if (has_handshake(protocol)) {
		if ((connection->flags & over) && idle >= (__s64)TIME_WAIT)
			return false;
	} else if (is_crowded && connection->packets <= 1 && idle >= (__s64)TIMEOUT_ANSWER) {
		return false;
	}
	return connection_is_live(connection, protocol);
}

/* Whether packets with scratch's tuple belong to another connection, in either direction. */
__global bool is_port_taken(bool is_crowded)
{
	struct scratch *scratch = scratch_get();
	const struct connection *connection, *other;
	struct tuple key;

	if (!scratch)
		return true;
	connection = connection_lookup(&scratch->direction);
	if (!connection)
		return false;
	if (keeps_port(connection, scratch->direction.protocol, is_crowded))
		return true;
	if (connection->flags & (CONNECTION_CLOSED | CONNECTION_RESET))
		return false;
	opposite(&key, &scratch->direction, connection);
	other = connection_lookup(&key);
	return other && (other->flags & CONNECTION_REPLY) != (connection->flags & CONNECTION_REPLY) &&
	       keeps_port(other, key.protocol, is_crowded);
}

/* Whether packets with scratch's tuple are for a service: a host port or a node port. */
__global bool is_port_of_service(void)
{
	struct scratch *scratch = scratch_get();
	const struct tuple *reply;

	if (!scratch)
		return true;
	reply = &scratch->direction;
	return begins_with_ports(reply->protocol) && service_find(&reply->destination, reply->destination_port, reply->protocol);
}

/* Whether the destination port of scratch's tuple can be the port of a new connection. */
__global bool is_port_free(struct __sk_buff *skb, bool is_crowded)
{
	struct scratch *scratch = scratch_get();

	return skb && scratch && !is_port_taken(is_crowded) && !is_port_of_service() &&
	       !has_socket(skb, &scratch->direction, scratch->direction.source_port);
}

/* The ports are chosen at random: a host that sees the port of one flow cannot predict the next one. */
static __always_inline __be16 port_of_client(const struct address *client)
{
	__u32 first = hash_end(hash_address(0, client)) % MASQUERADE_PORTS_SHARED;

	return bpf_htons(MASQUERADE_PORT_FIRST + (first + bpf_get_prandom_u32() % MASQUERADE_PORTS_OF_CLIENT) % MASQUERADE_PORTS_SHARED);
}

/* A port that other clients have only if their address ends like this one's. */
static __always_inline __be16 port_kept_for(const struct address *client)
{
	__u32 last = bpf_ntohl(client->word[3]) & 0xff;

	return bpf_htons(MASQUERADE_PORT_FIRST + MASQUERADE_PORTS_SHARED + last * MASQUERADE_PORTS_KEPT +
			 bpf_get_prandom_u32() % MASQUERADE_PORTS_KEPT);
}

/* Chooses the port of this node that replaces the client's port in scratch's opening, if the opening is masqueraded. It chooses none if
 * all ports that are tried have an owner. Two or three clients can use up the ports that all share towards one host. So a connection with
 * a handshake then tries the ports that are kept for its client. Datagrams do not: an attacker who forges answers must guess the port.
 * They take that of an older question. It is called here and not in connection_open(), which claims the port, because that function has
 * no BPF stack left. */
__global int choose_port(struct __sk_buff *skb, const struct packet *packet)
{
	struct scratch *scratch = scratch_get();
	struct opening *opening;
	struct tuple *reply;

	if (!skb || !packet || !scratch)
		return 0;
	opening = &scratch->opening;
	if (!(opening->flags & CONNECTION_MASQUERADED))
		return 0;
	reply = &scratch->direction;
	reply->source = opening->backend;
	reply->destination = opening->node;
	reply->source_port = opening->backend_port;
	reply->protocol = packet->tuple.protocol;
	for (int i = 0; i < 2 * PORT_TRIES && !opening->port; i++) {
		bool is_crowded = i >= PORT_TRIES;

		reply->destination_port = is_crowded && has_handshake(reply->protocol) ? port_kept_for(&packet->tuple.source)
										       : port_of_client(&packet->tuple.source);
		if (is_port_free(skb, is_crowded))
			opening->port = reply->destination_port;
	}
	return 0;
}
