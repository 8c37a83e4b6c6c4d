/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "follow.h"
#include "../net/parse.h"
#include "../policy/source.h"

/* ICMP errors (RFC 792; RFC 5508 for translators): the packet that an error is about travels inside it, as its sender
 * saw it. The error belongs to that packet's connection, in the opposite direction, and is translated inside and
 * outside, so that it reaches the one who must act and means something there. */

#define INNER_IP_OFFSET sizeof(struct icmp_header)
#define LARGEST_ERROR 576 /* bytes, without Ethernet: RFC 1812, 4.3.2.3 */

static __always_inline int parse_inner(const struct packet *packet, struct inner_packet *inner)
{
	struct __sk_buff *skb = packet->skb;
	struct iphdr ip;
	struct icmp_header l4; /* its first bytes are the ports of TCP and UDP */

	__builtin_memset(inner, 0, sizeof(*inner));
	inner->ip_offset = packet->l4_offset + INNER_IP_OFFSET;
	if (bpf_skb_load_bytes(skb, inner->ip_offset, &ip, sizeof(ip)) || ip.version != 4 || ip.ihl < 5 ||
	    (ip.frag_off & bpf_htons(IP_FRAGMENT_OFFSET))) /* no ports in it */
		return -1;
	inner->l4_offset = inner->ip_offset + ip.ihl * 4;
	inner->tuple.source = address_from_ipv4(ip.saddr);
	inner->tuple.destination = address_from_ipv4(ip.daddr);
	inner->tuple.protocol = ip.protocol;
	if (bpf_skb_load_bytes(skb, inner->l4_offset, &l4, sizeof(l4)))
		return -1;
	if (ip.protocol == IPPROTO_ICMP)
		return echo_ports(&inner->tuple, l4.type, l4.identifier) ? 0 : -1;
	if (ip.protocol != IPPROTO_TCP && ip.protocol != IPPROTO_UDP)
		return -1;
	inner->tuple.source_port = ((__be16 *)&l4)[0];
	inner->tuple.destination_port = ((__be16 *)&l4)[1];
	return 0;
}

/* The same, of an error that is not too large and goes to the one who sent the packet inside it, and to nobody else. */
static __always_inline bool read_inner(const struct packet *packet, struct inner_packet *inner)
{
	return packet->skb->len - ETH_HLEN <= LARGEST_ERROR && !parse_inner(packet, inner) &&
	       address_is_equal(&packet->tuple.destination, &inner->tuple.source);
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

/* Of a workload that reached itself by a service: each of the two ends has taken the other for the service, so the two
 * addresses change places, inside and outside. */
static __always_inline int turn_error_around(struct packet *packet, const struct inner_packet *inner)
{
	const struct address service = inner->tuple.source, workload = inner->tuple.destination;

	if (rewrite_source(packet, &service, 0) || rewrite_destination(packet, &workload, 0))
		return -1;
	if (rewrite_inner_address(packet->skb, inner, offsetof(struct iphdr, saddr), &service, &workload))
		return -1;
	return rewrite_inner_address(packet->skb, inner, offsetof(struct iphdr, daddr), &workload, &service);
}

static __always_inline int error_addresses_to_client(struct packet *packet, const struct inner_packet *inner,
						     const struct connection *connection)
{
	const struct address frontend = connection->address, *backend = &inner->tuple.destination;

	if (connection->flags & CONNECTION_HAIRPIN)
		return turn_error_around(packet, inner);
	if (address_is_equal(&packet->tuple.source, backend) && rewrite_source(packet, &frontend, 0))
		return -1;
	return rewrite_inner_address(packet->skb, inner, offsetof(struct iphdr, daddr), backend, &frontend);
}

/* The error goes to the client: inside it, the backend becomes the address the client used. */
static __always_inline int translate_error_reply(struct packet *packet, const struct inner_packet *inner,
						 const struct connection *connection)
{
	const struct tuple *seen = &inner->tuple;

	if (error_addresses_to_client(packet, inner, connection))
		return -1;
	if (rewrite_inner_port(packet, inner, offsetof(struct udphdr, dest), seen->destination_port, connection->port))
		return -1;
	return rewrite_inner_port(packet, inner, offsetof(struct udphdr, source), seen->source_port,
				  connection->peer_port);
}

static __always_inline int error_addresses_to_backend(struct packet *packet, const struct inner_packet *inner,
						      const struct connection *connection)
{
	const struct address backend = connection->address;

	if (connection->flags & CONNECTION_HAIRPIN)
		return turn_error_around(packet, inner);
	if (rewrite_destination(packet, &backend, 0))
		return -1;
	return rewrite_inner_address(packet->skb, inner, offsetof(struct iphdr, saddr), &inner->tuple.source, &backend);
}

/* The error goes to the backend: inside it, the address the client used becomes the backend. */
static __always_inline int translate_error_forward(struct packet *packet, const struct inner_packet *inner,
						   const struct connection *connection)
{
	const struct tuple *seen = &inner->tuple;

	if (error_addresses_to_backend(packet, inner, connection))
		return -1;
	if (rewrite_inner_port(packet, inner, offsetof(struct udphdr, source), seen->source_port, connection->port))
		return -1;
	return rewrite_inner_port(packet, inner, offsetof(struct udphdr, dest), seen->destination_port,
				  connection->peer_port);
}

/* The live connection that an error is about, in the direction in which the error travels; NULL: none. `direction` is the
 * tuple of that entry. */
static __always_inline struct connection *related_connection(const struct packet *packet, struct inner_packet *inner,
							     struct tuple *direction)
{
	if (!read_inner(packet, inner))
		return NULL;
	*direction = reversed(&inner->tuple);
	return live_connection(direction);
}

/* An error that the backend's node sent back to the client through this one: from whom the client spoke to, or from a
 * router, which this node is not. */
static __noinline int return_error(struct packet *packet, const struct settings *settings, const struct wrapping *wrapping)
{
	struct scratch *scratch = scratch_get();
	const struct address *source;

	if (!packet || !settings || !wrapping || !scratch)
		return TC_ACT_SHOT;
	source = &packet->tuple.source;
	if (!read_inner(packet, &scratch->inner) || !forwarded_connection(&scratch->inner.tuple, &wrapping->node))
		return drop(packet->skb, OUTCOME_DROP_UNRELATED);
	if (is_local_host(settings, source) && !address_is_equal(source, &scratch->inner.tuple.destination))
		return drop(packet->skb, OUTCOME_DROP_MARTIAN_SOURCE);
	return deliver(packet, settings, OUTCOME_RETURN_FORWARDED, NULL);
}

/* NULL never, but for the verifier. */
static __always_inline struct related *related_draft(void)
{
	struct scratch *scratch = scratch_get();

	if (!scratch)
		return NULL;
	__builtin_memset(&scratch->related, 0, sizeof(scratch->related));
	return &scratch->related;
}

/* Translates an ICMP error along the connection it is about, and says how that connection's packets travel. `related`
 * holds what that packet's destination must be, or "::". @return OUTCOME_TO_NETWORK, or why the error is refused */
static __noinline enum outcome relate_error(struct packet *packet, const struct settings *settings, struct related *related)
{
	struct scratch *scratch = scratch_get();
	struct connection *connection;
	struct inner_packet *inner;
	struct tuple direction;
	enum outcome verdict;

	if (!packet || !settings || !related || !scratch)
		return OUTCOME_DROP_UNRELATED;
	inner = &scratch->inner;
	connection = related_connection(packet, inner, &direction);
	if (!connection)
		return OUTCOME_DROP_UNRELATED;
	if (!address_is_unset(&related->destination) && !address_is_equal(&related->destination, &direction.source))
		return OUTCOME_DROP_UNRELATED;
	verdict = judge_again(&direction, settings, connection);
	if (verdict != OUTCOME_TO_ENDPOINT)
		return verdict;
	related->flags = connection->flags;
	related->node = connection->node;
	related->destination = direction.source;
	if ((connection->flags & CONNECTION_FORWARDED) || !(connection->flags & CONNECTION_TRANSLATED))
		return OUTCOME_TO_NETWORK;
	if (connection->flags & CONNECTION_REPLY)
		return translate_error_reply(packet, inner, connection) ? OUTCOME_DROP_MALFORMED : OUTCOME_TO_NETWORK;
	return translate_error_forward(packet, inner, connection) ? OUTCOME_DROP_MALFORMED : OUTCOME_TO_NETWORK;
}

/* On the way of its connection. */
static __noinline int send_error(struct packet *packet, const struct settings *settings, const struct related *related)
{
	if (!packet || !settings || !related)
		return TC_ACT_SHOT;
	if (related->flags & CONNECTION_FORWARDED) {
		struct wrapping wrapping = wrapping_for(&related->node, forward_kind(related->flags), 0);

		return deliver_wrapped(packet->skb, settings, &wrapping, NULL);
	}
	if ((related->flags & CONNECTION_VIA_ENTRY) && (related->flags & CONNECTION_REPLY)) {
		struct wrapping wrapping = wrapping_for(&related->node, TUNNEL_RETURN, 0);

		return deliver_wrapped(packet->skb, settings, &wrapping, NULL);
	}
	if (related->flags & CONNECTION_VIA_STACK)
		return route_by_stack(packet->skb);
	return deliver(packet, settings, OUTCOME_TO_NETWORK, NULL);
}

/* From an uplink: some router's, or the other end's. What is about no connection of ours is the host's, unless it is for a
 * workload. Errors about what never left this node, or left it wrapped, do not come from the network. */
static __always_inline int relay_error_from_uplink(struct packet *packet, const struct settings *settings)
{
	struct related *related = related_draft();
	enum outcome verdict = relate_error(packet, settings, related);

	if (verdict == OUTCOME_DROP_UNRELATED && !is_workload(&packet->tuple.destination))
		return pass_to_stack(packet->skb);
	if (verdict != OUTCOME_TO_NETWORK || !related)
		return drop(packet->skb, verdict);
	if (!(related->flags & CONNECTION_FORWARDED) && !is_plainly_reached(&related->destination))
		return drop(packet->skb, OUTCOME_DROP_UNRELATED);
	return send_error(packet, settings, related);
}

/* From a workload with the address `own`: about a packet that came to it. */
static __always_inline int relay_error_from_workload(struct packet *packet, const struct settings *settings,
						     const struct address *own)
{
	struct related *related = related_draft();
	enum outcome verdict;

	if (related)
		related->destination = *own;
	verdict = relate_error(packet, settings, related);
	if (verdict == OUTCOME_DROP_UNRELATED && is_local_host(settings, &packet->tuple.destination))
		return pass_to_stack(packet->skb); /* the host's own connections have no entry */
	if (verdict != OUTCOME_TO_NETWORK || !related)
		return drop(packet->skb, verdict);
	return send_error(packet, settings, related);
}

/* Wrapped by another node: about what that node's workloads received, or along a connection that it or this node forwarded. */
static __always_inline int relay_wrapped_error(struct packet *packet, const struct settings *settings,
					       const struct wrapping *wrapping)
{
	struct related *related = related_draft();
	enum outcome verdict = check_wrapped_source(&packet->tuple.source, wrapping);

	if (verdict != OUTCOME_TO_NETWORK)
		return drop(packet->skb, verdict);
	if (wrapped_kind(wrapping) == TUNNEL_RETURN)
		return return_error(packet, settings, wrapping);
	verdict = relate_error(packet, settings, related);
	if (verdict != OUTCOME_TO_NETWORK || !related)
		return drop(packet->skb, verdict);
	/* The packet inside went to whoever the error is from, or beyond: its destination is the same node's. */
	if (!may_follow(related->flags, wrapped_kind(wrapping)) ||
	    check_wrapped_source(&related->destination, wrapping) != OUTCOME_TO_NETWORK)
		return drop(packet->skb, OUTCOME_DROP_UNRELATED);
	return send_error(packet, settings, related);
}
