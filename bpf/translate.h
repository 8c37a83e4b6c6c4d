/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "net/parse.h"
#include "net/rewrite_error.h"
#include "scratch.h"

/* Rewrites a packet as its connection's entry says. */

/* Whether both ends change: the one that a service hides and the other one. */
static __always_inline bool changes_both_ends(const struct connection *connection, __be16 port)
{
	return (connection->flags & (CONNECTION_HAIRPIN | CONNECTION_MASQUERADED)) || connection->peer_port != port;
}

/* Client to backend: the backend becomes the destination; the source port changes only after a collision. A workload accepts no packet
 * from its own address. So a workload that reaches itself through a service (CONNECTION_HAIRPIN) sees the service as its peer, on both
 * sides. */
static __always_inline int translate_forward(struct __sk_buff *skb, struct packet *packet, const struct connection *connection)
{
	struct address source;

	if (!changes_both_ends(connection, packet->tuple.source_port))
		return rewrite_destination(skb, packet, &connection->address, connection->port);
	source = connection->flags & CONNECTION_HAIRPIN	      ? packet->tuple.destination
		 : connection->flags & CONNECTION_MASQUERADED ? connection->node
							      : packet->tuple.source;
	if (rewrite_destination(skb, packet, &connection->address, connection->port))
		return -1;
	return rewrite_source(skb, packet, &source, connection->peer_port);
}

/* Backend to client: the source becomes the address the client used. */
static __always_inline int translate_reply(struct __sk_buff *skb, struct packet *packet, const struct connection *connection)
{
	struct address client;

	if (!changes_both_ends(connection, packet->tuple.destination_port))
		return rewrite_source(skb, packet, &connection->address, connection->port);
	client = connection->flags & CONNECTION_HAIRPIN	      ? packet->tuple.source
		 : connection->flags & CONNECTION_MASQUERADED ? connection->node
							      : packet->tuple.destination;
	if (rewrite_source(skb, packet, &connection->address, connection->port))
		return -1;
	return rewrite_destination(skb, packet, &client, connection->peer_port);
}

__global int translate_packet(struct __sk_buff *skb, struct packet *packet, const struct connection *connection)
{
	if (!skb || !packet || !connection)
		return -1;
	return connection->flags & CONNECTION_REPLY ? translate_reply(skb, packet, connection)
						    : translate_forward(skb, packet, connection);
}

/* An error of a workload that reached itself through a service: each of the two ends took the other one for the service, so the two
 * addresses change places, inside and outside. */
static __always_inline int turn_error_around(struct __sk_buff *skb, struct packet *packet, const struct inner_packet *inner)
{
	const struct address service = inner->tuple.source, workload = inner->tuple.destination;

	if (rewrite_source(skb, packet, &service, 0) || rewrite_destination(skb, packet, &workload, packet->tuple.destination_port))
		return -1;
	if (rewrite_inner_address(skb, packet, inner, INNER_SOURCE, &service, &workload))
		return -1;
	return rewrite_inner_address(skb, packet, inner, INNER_DESTINATION, &workload, &service);
}

static __always_inline int error_addresses_to_client(struct __sk_buff *skb, struct packet *packet, const struct inner_packet *inner,
						     const struct connection *connection)
{
	const struct address frontend = connection->address, *backend = &inner->tuple.destination;

	if (connection->flags & CONNECTION_HAIRPIN)
		return turn_error_around(skb, packet, inner);
	if (address_is_equal(&packet->tuple.source, backend) && rewrite_source(skb, packet, &frontend, 0))
		return -1;
	return rewrite_inner_address(skb, packet, inner, INNER_DESTINATION, backend, &frontend);
}

/* The backend took this node for the client. */
static __always_inline int give_error_to_client(struct __sk_buff *skb, struct packet *packet, const struct inner_packet *inner,
						const struct connection *connection)
{
	const struct address client = connection->node, *own = &inner->tuple.source;

	if (rewrite_destination(skb, packet, &client, packet->tuple.destination_port))
		return -1;
	return rewrite_inner_address(skb, packet, inner, INNER_SOURCE, own, &client);
}

/* The error goes to the client: inside it, the backend becomes the address the client used. */
static __always_inline int translate_error_reply(struct __sk_buff *skb, struct packet *packet, const struct inner_packet *inner,
						 const struct connection *connection)
{
	const struct tuple *seen = &inner->tuple;

	if (error_addresses_to_client(skb, packet, inner, connection))
		return -1;
	if ((connection->flags & CONNECTION_MASQUERADED) && give_error_to_client(skb, packet, inner, connection))
		return -1;
	if (rewrite_inner_port(skb, packet, inner, INNER_DESTINATION, seen->destination_port, connection->port))
		return -1;
	return rewrite_inner_port(skb, packet, inner, INNER_SOURCE, seen->source_port, connection->peer_port);
}

static __always_inline int error_addresses_to_backend(struct __sk_buff *skb, struct packet *packet, const struct inner_packet *inner,
						      const struct connection *connection)
{
	const struct address backend = connection->address;

	if (connection->flags & CONNECTION_HAIRPIN)
		return turn_error_around(skb, packet, inner);
	if (rewrite_destination(skb, packet, &backend, packet->tuple.destination_port))
		return -1;
	return rewrite_inner_address(skb, packet, inner, INNER_SOURCE, &inner->tuple.source, &backend);
}

/* The backend takes this node for the client. */
static __always_inline int hide_client(struct __sk_buff *skb, struct packet *packet, const struct inner_packet *inner,
				       const struct connection *connection)
{
	const struct address own = connection->node, *client = &inner->tuple.destination;

	if (address_is_equal(&packet->tuple.source, client) && rewrite_source(skb, packet, &own, 0))
		return -1;
	return rewrite_inner_address(skb, packet, inner, INNER_DESTINATION, client, &own);
}

/* The error goes to the backend: inside it, the address the client used becomes the backend. */
static __always_inline int translate_error_forward(struct __sk_buff *skb, struct packet *packet, const struct inner_packet *inner,
						   const struct connection *connection)
{
	const struct tuple *seen = &inner->tuple;

	if (error_addresses_to_backend(skb, packet, inner, connection))
		return -1;
	if ((connection->flags & CONNECTION_MASQUERADED) && hide_client(skb, packet, inner, connection))
		return -1;
	if (rewrite_inner_port(skb, packet, inner, INNER_SOURCE, seen->source_port, connection->port))
		return -1;
	return rewrite_inner_port(skb, packet, inner, INNER_DESTINATION, seen->destination_port, connection->peer_port);
}

/* The ports of an SCTP fragment cannot be rewritten: the checksum is in the first fragment, and depends on all of them. */
static __always_inline bool is_beyond_translation(struct __sk_buff *skb, const struct packet *packet, const struct connection *connection)
{
	const struct tuple *tuple = &packet->tuple;
	bool is_reply;

	if (tuple->protocol != IPPROTO_SCTP || !connection)
		return false;
	is_reply = connection->flags & CONNECTION_REPLY;
	if (connection->port == (is_reply ? tuple->source_port : tuple->destination_port) &&
	    connection->peer_port == (is_reply ? tuple->destination_port : tuple->source_port))
		return false;
	return is_fragment(skb);
}

/* The same for a packet whose connection is not written yet. (Its source port may still change, if another client already has it at that
 * backend.) */
static __always_inline bool opens_beyond_translation(struct __sk_buff *skb, const struct packet *packet)
{
	const struct scratch *scratch = scratch_get();
	const struct opening *opening;

	if (packet->tuple.protocol != IPPROTO_SCTP || !scratch)
		return false;
	opening = &scratch->opening;
	if (opening->flags & CONNECTION_FORWARDED)
		return false;
	return (opening->backend_port != packet->tuple.destination_port || (opening->flags & CONNECTION_MASQUERADED)) && is_fragment(skb);
}

/* An ICMP error whose inner packet is in scratch, along the connection in whose direction it travels. */
__global int translate_error(struct __sk_buff *skb, struct packet *packet, const struct connection *connection)
{
	const struct scratch *scratch = scratch_get();

	if (!skb || !packet || !connection || !scratch)
		return -1;
	return connection->flags & CONNECTION_REPLY ? translate_error_reply(skb, packet, &scratch->inner, connection)
						    : translate_error_forward(skb, packet, &scratch->inner, connection);
}
