/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "follow.h"
#include "parse.h"

/* ICMP errors (RFC 792; RFC 5508 for translators): the packet that an error is about travels inside it, as its sender
 * saw it. The error belongs to that packet's connection, in the opposite direction, and is translated inside and
 * outside, so that it reaches the one who must act and means something there. */

#define INNER_IP_OFFSET sizeof(struct icmp_header)

struct inner_packet {
	struct tuple tuple;
	__u16 ip_offset;
	__u16 l4_offset;
};

static __always_inline int parse_inner(const struct packet *packet, struct inner_packet *inner)
{
	struct __sk_buff *skb = packet->skb;
	struct iphdr ip;
	struct icmp_header l4; /* its first bytes are the ports of TCP and UDP */

	__builtin_memset(inner, 0, sizeof(*inner));
	inner->ip_offset = packet->l4_offset + INNER_IP_OFFSET;
	if (bpf_skb_load_bytes(skb, inner->ip_offset, &ip, sizeof(ip)) || ip.version != 4 || ip.ihl < 5)
		return -1;
	inner->l4_offset = inner->ip_offset + ip.ihl * 4;
	inner->tuple.source = address_from_ipv4(ip.saddr);
	inner->tuple.destination = address_from_ipv4(ip.daddr);
	inner->tuple.protocol = ip.protocol;
	if (bpf_skb_load_bytes(skb, inner->l4_offset, &l4, sizeof(l4)))
		return -1;
	if (ip.protocol == IPPROTO_ICMP) {
		inner->tuple.source_port = inner->tuple.destination_port = l4.identifier;
		return 0;
	}
	if (ip.protocol != IPPROTO_TCP && ip.protocol != IPPROTO_UDP)
		return -1;
	inner->tuple.source_port = ((__be16 *)&l4)[0];
	inner->tuple.destination_port = ((__be16 *)&l4)[1];
	return 0;
}

/* An address inside the error: its own IP checksum absorbs the change, so the ICMP checksum stays right. */
static __always_inline int rewrite_inner_address(struct __sk_buff *skb, const struct inner_packet *inner, __u16 field,
						 const struct address *old, const struct address *new)
{
	__be32 from = address_to_ipv4(old), to = address_to_ipv4(new);

	if (bpf_l3_csum_replace(skb, inner->ip_offset + offsetof(struct iphdr, check), from, to, sizeof(__be32)))
		return -1;
	return bpf_skb_store_bytes(skb, inner->ip_offset + field, &to, sizeof(to), 0);
}

static __always_inline int rewrite_inner_port(const struct packet *packet, const struct inner_packet *inner, __u16 field,
					      __be16 old, __be16 new)
{
	__u16 checksum = packet->l4_offset + offsetof(struct icmp_header, checksum);

	if (old == new || inner->tuple.protocol == IPPROTO_ICMP)
		return 0;
	if (bpf_l4_csum_replace(packet->skb, checksum, old, new, sizeof(__be16)))
		return -1;
	return bpf_skb_store_bytes(packet->skb, inner->l4_offset + field, &new, sizeof(new), 0);
}

/* The error goes to the client: inside it, the backend becomes the address the client used. */
static __always_inline int translate_error_reply(struct packet *packet, const struct inner_packet *inner,
						 const struct connection *connection)
{
	struct address frontend = connection->address;
	const struct tuple *seen = &inner->tuple;

	if (address_is_equal(&packet->tuple.source, &seen->destination) && rewrite_source(packet, &frontend, 0))
		return -1;
	if (rewrite_inner_address(packet->skb, inner, offsetof(struct iphdr, daddr), &seen->destination, &frontend))
		return -1;
	if (rewrite_inner_port(packet, inner, offsetof(struct udphdr, dest), seen->destination_port, connection->port))
		return -1;
	return rewrite_inner_port(packet, inner, offsetof(struct udphdr, source), seen->source_port,
				  connection->peer_port);
}

/* The error goes to the backend: inside it, the address the client used becomes the backend. */
static __always_inline int translate_error_forward(struct packet *packet, const struct inner_packet *inner,
						   const struct connection *connection)
{
	struct address backend = connection->address;
	const struct tuple *seen = &inner->tuple;

	if (rewrite_destination(packet, &backend, 0))
		return -1;
	if (rewrite_inner_address(packet->skb, inner, offsetof(struct iphdr, saddr), &seen->source, &backend))
		return -1;
	if (rewrite_inner_port(packet, inner, offsetof(struct udphdr, source), seen->source_port, connection->port))
		return -1;
	return rewrite_inner_port(packet, inner, offsetof(struct udphdr, dest), seen->destination_port,
				  connection->peer_port);
}

/* The connection that an error is about, in the direction in which the error travels; NULL: none we know. */
static __always_inline const struct connection *related_connection(const struct packet *packet,
								   struct inner_packet *inner)
{
	struct tuple direction = {};

	if (parse_inner(packet, inner))
		return NULL;
	direction.source = inner->tuple.destination;
	direction.destination = inner->tuple.source;
	direction.source_port = inner->tuple.destination_port;
	direction.destination_port = inner->tuple.source_port;
	direction.protocol = inner->tuple.protocol;
	return bpf_map_lookup_elem(&connections, &direction);
}

/* What is to be done with an error: the flags and the node of the connection it is about. */
struct related {
	__u32 flags;
	struct address node;
};

enum relation {
	RELATED,
	UNRELATED,
	RELATED_MALFORMED,
};

/* Translates an ICMP error along the connection it is about, and says how that connection's packets travel. */
static __noinline enum relation relate_error(struct packet *packet, struct related *related)
{
	const struct connection *connection;
	struct inner_packet inner;

	if (!packet || !related)
		return UNRELATED;
	connection = related_connection(packet, &inner);
	if (!connection)
		return UNRELATED;
	related->flags = connection->flags;
	related->node = connection->node;
	if ((connection->flags & CONNECTION_FORWARDED) || !(connection->flags & CONNECTION_TRANSLATED))
		return RELATED;
	if (connection->flags & CONNECTION_REPLY)
		return translate_error_reply(packet, &inner, connection) ? RELATED_MALFORMED : RELATED;
	return translate_error_forward(packet, &inner, connection) ? RELATED_MALFORMED : RELATED;
}

/* Relays an ICMP error; `unrelated` is returned when it is about no connection we know. */
static __always_inline int relay_error(struct packet *packet, const struct settings *settings, int unrelated)
{
	struct related related = {};

	switch (relate_error(packet, &related)) {
	case UNRELATED:
		return unrelated;
	case RELATED_MALFORMED:
		return drop(packet->skb, OUTCOME_DROP_MALFORMED);
	default:
		break;
	}
	if (related.flags & CONNECTION_FORWARDED) {
		struct wrapping wrapping = wrapping_for(&related.node, forward_kind(related.flags), 0);

		return deliver_wrapped(packet->skb, settings, &wrapping, NULL);
	}
	if ((related.flags & CONNECTION_VIA_ENTRY) && (related.flags & CONNECTION_REPLY)) {
		struct wrapping wrapping = wrapping_for(&related.node, TUNNEL_RETURN, 0);

		return deliver_wrapped(packet->skb, settings, &wrapping, NULL);
	}
	if (related.flags & CONNECTION_VIA_STACK)
		return route_by_stack(packet->skb);
	return deliver(packet, settings, OUTCOME_TO_NETWORK, NULL);
}
