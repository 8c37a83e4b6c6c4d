/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "net/parse.h"
#include "net/rewrite_error.h"
#include "scratch.h"

/* Rewrites a packet as its connection's entry says. */

/* Client to backend: destination becomes the backend; the source port changes only after a collision. A workload takes no
 * packet that comes from itself: one that reaches itself by a service (CONNECTION_HAIRPIN) sees the service in its own place,
 * on both sides. */
static __always_inline int translate_forward(struct packet *packet, const struct connection *connection)
{
	struct address source = connection->flags & CONNECTION_HAIRPIN	    ? packet->tuple.destination
				: connection->flags & CONNECTION_MASQUERADED ? connection->node
									     : packet->tuple.source;

	if (rewrite_destination(packet, &connection->address, connection->port))
		return -1;
	return rewrite_source(packet, &source, connection->peer_port);
}

/* Backend to client: the source becomes the address the client used. */
static __always_inline int translate_reply(struct packet *packet, const struct connection *connection)
{
	struct address client = connection->flags & CONNECTION_HAIRPIN	    ? packet->tuple.source
				: connection->flags & CONNECTION_MASQUERADED ? connection->node
									     : packet->tuple.destination;

	if (rewrite_source(packet, &connection->address, connection->port))
		return -1;
	return rewrite_destination(packet, &client, connection->peer_port);
}

static __noinline int translate_packet(struct packet *packet, const struct connection *connection)
{
	if (!packet || !connection)
		return -1;
	return connection->flags & CONNECTION_REPLY ? translate_reply(packet, connection)
						    : translate_forward(packet, connection);
}

/* Of a workload that reached itself by a service: each of the two ends has taken the other for the service, so the two
 * addresses change places, inside and outside. */
static __always_inline int turn_error_around(struct packet *packet, const struct inner_packet *inner)
{
	const struct address service = inner->tuple.source, workload = inner->tuple.destination;

	if (rewrite_source(packet, &service, 0) || rewrite_destination(packet, &workload, 0))
		return -1;
	if (rewrite_inner_address(packet, inner, INNER_SOURCE, &service, &workload))
		return -1;
	return rewrite_inner_address(packet, inner, INNER_DESTINATION, &workload, &service);
}

static __always_inline int error_addresses_to_client(struct packet *packet, const struct inner_packet *inner,
						     const struct connection *connection)
{
	const struct address frontend = connection->address, *backend = &inner->tuple.destination;

	if (connection->flags & CONNECTION_HAIRPIN)
		return turn_error_around(packet, inner);
	if (address_is_equal(&packet->tuple.source, backend) && rewrite_source(packet, &frontend, 0))
		return -1;
	return rewrite_inner_address(packet, inner, INNER_DESTINATION, backend, &frontend);
}

/* The backend took this node for the client. */
static __always_inline int give_error_to_client(struct packet *packet, const struct inner_packet *inner,
						const struct connection *connection)
{
	const struct address client = connection->node, *own = &inner->tuple.source;

	if (rewrite_destination(packet, &client, 0))
		return -1;
	return rewrite_inner_address(packet, inner, INNER_SOURCE, own, &client);
}

/* The error goes to the client: inside it, the backend becomes the address the client used. */
static __always_inline int translate_error_reply(struct packet *packet, const struct inner_packet *inner,
						 const struct connection *connection)
{
	const struct tuple *seen = &inner->tuple;

	if (error_addresses_to_client(packet, inner, connection))
		return -1;
	if ((connection->flags & CONNECTION_MASQUERADED) && give_error_to_client(packet, inner, connection))
		return -1;
	if (rewrite_inner_port(packet, inner, INNER_DESTINATION, seen->destination_port, connection->port))
		return -1;
	return rewrite_inner_port(packet, inner, INNER_SOURCE, seen->source_port, connection->peer_port);
}

static __always_inline int error_addresses_to_backend(struct packet *packet, const struct inner_packet *inner,
						      const struct connection *connection)
{
	const struct address backend = connection->address;

	if (connection->flags & CONNECTION_HAIRPIN)
		return turn_error_around(packet, inner);
	if (rewrite_destination(packet, &backend, 0))
		return -1;
	return rewrite_inner_address(packet, inner, INNER_SOURCE, &inner->tuple.source, &backend);
}

/* The backend takes this node for the client. */
static __always_inline int hide_client(struct packet *packet, const struct inner_packet *inner,
				       const struct connection *connection)
{
	const struct address own = connection->node, *client = &inner->tuple.destination;

	if (address_is_equal(&packet->tuple.source, client) && rewrite_source(packet, &own, 0))
		return -1;
	return rewrite_inner_address(packet, inner, INNER_DESTINATION, client, &own);
}

/* The error goes to the backend: inside it, the address the client used becomes the backend. */
static __always_inline int translate_error_forward(struct packet *packet, const struct inner_packet *inner,
						   const struct connection *connection)
{
	const struct tuple *seen = &inner->tuple;

	if (error_addresses_to_backend(packet, inner, connection))
		return -1;
	if ((connection->flags & CONNECTION_MASQUERADED) && hide_client(packet, inner, connection))
		return -1;
	if (rewrite_inner_port(packet, inner, INNER_SOURCE, seen->source_port, connection->port))
		return -1;
	return rewrite_inner_port(packet, inner, INNER_DESTINATION, seen->destination_port, connection->peer_port);
}

/* Of a fragment of SCTP the ports cannot be rewritten: the checksum is in the first one, and depends on the length of all. */
static __always_inline bool is_beyond_translation(const struct packet *packet, const struct connection *connection)
{
	const struct tuple *tuple = &packet->tuple;
	bool is_reply;

	if (tuple->protocol != IPPROTO_SCTP || !connection)
		return false;
	is_reply = connection->flags & CONNECTION_REPLY;
	if (connection->port == (is_reply ? tuple->source_port : tuple->destination_port) &&
	    connection->peer_port == (is_reply ? tuple->destination_port : tuple->source_port))
		return false;
	return is_fragment(packet->skb);
}

/* An ICMP error whose inner packet is in scratch, along the connection in whose direction it travels. */
static __noinline int translate_error(struct packet *packet, const struct connection *connection)
{
	const struct scratch *scratch = scratch_get();

	if (!packet || !connection || !scratch)
		return -1;
	return connection->flags & CONNECTION_REPLY ? translate_error_reply(packet, &scratch->inner, connection)
						    : translate_error_forward(packet, &scratch->inner, connection);
}
