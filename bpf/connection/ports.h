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

/* Whether a connection keeps the port that replaces its client's. These ports are scarce: a closed connection keeps its port no longer
 * than the other end's TIME_WAIT lasts. */
static __always_inline bool keeps_port(const struct connection *connection, __u8 protocol)
{
	const __u32 over = CONNECTION_CLOSED | CONNECTION_RESET;

	if ((connection->flags & over) && (__s64)(bpf_ktime_get_coarse_ns() - connection->last_seen) >= (__s64)TIME_WAIT)
		return false;
	return connection_is_live(connection, protocol);
}

/* Whether packets with scratch's tuple belong to another connection, in either direction. */
__global bool is_port_taken(void)
{
	struct scratch *scratch = scratch_get();
	const struct connection *connection;

	if (!scratch)
		return true;
	connection = connection_lookup(&scratch->direction);
	if (!connection)
		return false;
	return keeps_port(connection, scratch->direction.protocol) ||
	       (!(connection->flags & (CONNECTION_CLOSED | CONNECTION_RESET)) && opposite_is_live(&scratch->direction, connection));
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

/* A client may use some of MASQUERADE_PORTS, so that no client can use up all ports towards one host: other clients have other ports.
 * The ports are chosen at random: a host that sees the port of one flow cannot predict the next one. */
static __always_inline __be16 port_of_client(const struct address *client)
{
	__u32 first = hash_end(hash_address(0, client)) % MASQUERADE_PORTS;

	return bpf_htons(MASQUERADE_PORT_FIRST + (first + bpf_get_prandom_u32() % MASQUERADE_PORTS_OF_CLIENT) % MASQUERADE_PORTS);
}

/* Chooses the port of this node that replaces the client's port in scratch's opening, if the opening is masqueraded. It chooses none if
 * all ports that are tried have an owner. It is called here and not in connection_open(), which claims the port, because that function
 * has no BPF stack left. */
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
	for (int i = 0; i < PORT_TRIES && !opening->port; i++) {
		reply->destination_port = port_of_client(&packet->tuple.source);
		if (!is_port_taken() && !is_port_of_service() && !has_socket(skb, reply, reply->source_port))
			opening->port = reply->destination_port;
	}
	return 0;
}
