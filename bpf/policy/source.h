/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../locate.h"
#include "../connection/next_hop.h"
#include "../tunnel/wrapping.h"

/* Whether a packet's source can be believed. Policies speak of addresses, so every packet that enters this node is asked
 * before anything is looked up for it; a connection remembers the answer for as long as it remembers its next hop. */

#define FIRST_MULTICAST 224

static __always_inline __u8 first_byte(const struct address *address)
{
	return bpf_ntohl(address_to_ipv4(address)) >> 24;
}

/* Multicast, class E, limited broadcast: as a destination the host's own business. */
static __always_inline bool is_for_many(const struct address *address)
{
	return first_byte(address) >= FIRST_MULTICAST;
}

/* What no host may send from (RFC 1122, 3.2.1.3; RFC 1812, 5.3.7): "this network", loopback, multicast, class E, limited
 * broadcast. */
static __always_inline bool is_never_a_source(const struct address *address)
{
	return first_byte(address) == 0 || first_byte(address) == 127 || is_for_many(address);
}

/* Of a packet from an uplink. */
static __always_inline struct origin origin_of_frame(struct __sk_buff *skb)
{
	const struct ethhdr *ethernet = bytes_at(skb, 0, sizeof(*ethernet));
	struct origin origin = {.interface = skb->ifindex};

	if (ethernet)
		__builtin_memcpy(origin.mac, ethernet->h_source, ETH_ALEN);
	return origin;
}

/* Of a packet that `node` wrapped. Unwrapped, it still has the hardware addresses of the frame that it came in; from the
 * kernel's device it has those of the frame inside, which our programs always write alike. */
static __always_inline struct origin origin_of_tunnel(struct __sk_buff *skb, const struct settings *settings,
						      const struct address *node)
{
	struct origin origin = origin_of_frame(skb);

	origin.interface = settings->tunnel_ifindex;
	origin.node = node->word[0] ^ node->word[1] ^ node->word[2] ^ node->word[3];
	return origin;
}

static __always_inline bool mac_is_equal(const __u8 *a, const __u8 *b)
{
	const __u16 *x = (const __u16 *)a, *y = (const __u16 *)b;

	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2];
}

static __always_inline bool origin_is(const struct origin *known, const struct origin *origin)
{
	return known->interface == origin->interface && known->node == origin->node &&
	       mac_is_equal(known->mac, origin->mac);
}

/* Whether this connection's packets are known to come from there rightly. */
static __always_inline bool is_believed(struct connection *connection, const struct origin *origin)
{
	const struct connection *known = way_known(connection);

	return known && origin_is(&known->origin, origin);
}

/* Whether the connection was judged as one that the stack had from another interface than the packet now comes from: perhaps a
 * workload's, to which it gave the source that this packet has. */
static __always_inline bool is_from_behind_stack(const struct connection *connection, __u32 interface)
{
	return connection->origin.node == ORIGIN_BEFORE_STACK && connection->origin.interface != interface;
}

/* Whether the frame has the hardware address by which this node reaches `node`. Behind a router that is the router's, which
 * tells nothing (and may send from another one, RFC 9568): such a packet is believed. A neighbour that is not known yet is
 * not: the agent has the kernel keep the nodes' known. */
static __noinline bool frame_is_from(struct __sk_buff *skb, const struct settings *settings, const struct address *node)
{
	const struct ethhdr *ethernet;
	struct bpf_fib_lookup *route;
	long result;

	if (!settings || !node)
		return false;
	route = route_question(settings, &settings->node, node);
	if (!route)
		return false;
	result = bpf_fib_lookup(skb, route, sizeof(*route), 0);
	if (result != BPF_FIB_LKUP_RET_SUCCESS && result != BPF_FIB_LKUP_RET_NO_NEIGH)
		return false;
	if (route->ipv4_dst != address_to_ipv4(node))
		return true;
	if (result == BPF_FIB_LKUP_RET_NO_NEIGH)
		return false;
	ethernet = bytes_at(skb, 0, sizeof(*ethernet));
	return ethernet && mac_is_equal(ethernet->h_source, route->dmac);
}

/* A source that came unwrapped, from an uplink. @return OUTCOME_TO_NETWORK: it can be believed; else why not */
static __noinline enum outcome check_source(struct __sk_buff *skb, const struct settings *settings,
					    const struct address *source)
{
	const struct location *location;
	__u32 flags;

	if (!settings || !source || is_never_a_source(source))
		return OUTCOME_DROP_MARTIAN_SOURCE;
	location = locate(source);
	flags = location_flags(location);
	if (flags & (LOCATION_LOCAL_HOST | LOCATION_BROADCAST))
		return OUTCOME_DROP_MARTIAN_SOURCE;
	if (bpf_map_lookup_elem(&endpoints, source))
		return OUTCOME_DROP_SPOOFED_SOURCE;
	if (!location || !(flags & LOCATION_POOL))
		return OUTCOME_TO_NETWORK;
	if ((flags & LOCATION_ENCAPSULATED) || address_is_unset(&location->node))
		return OUTCOME_DROP_SPOOFED_SOURCE;
	return frame_is_from(skb, settings, &location->node) ? OUTCOME_TO_NETWORK : OUTCOME_DROP_SPOOFED_SOURCE;
}

/* A workload's address may only be used by the node it lives on, a node's address only by that node. */
static __always_inline bool source_belongs_to(const struct address *source, const struct address *peer)
{
	const struct location *location = locate(source);

	if (address_is_equal(source, peer))
		return true;
	return location && address_is_equal(&location->node, peer);
}

/* A source that `wrapping` says who wrapped, and why. A client of a service came from outside to the entry node, so no
 * workload does: its own node chooses its backend. @return as check_source() */
static __noinline enum outcome check_wrapped_source(const struct address *source, const struct wrapping *wrapping)
{
	__u32 flags;

	if (!source || !wrapping || is_never_a_source(source))
		return OUTCOME_DROP_MARTIAN_SOURCE;
	if (wrapped_kind(wrapping) == TUNNEL_OVERLAY)
		return source_belongs_to(source, &wrapping->node) ? OUTCOME_TO_NETWORK : OUTCOME_DROP_SPOOFED_SOURCE;
	flags = location_flags(locate(source));
	if ((flags & LOCATION_POOL) || bpf_map_lookup_elem(&endpoints, source))
		return OUTCOME_DROP_SPOOFED_SOURCE;
	/* What a service at this node's address answers comes back from there. */
	if ((flags & (LOCATION_LOCAL_HOST | LOCATION_BROADCAST)) && wrapped_kind(wrapping) != TUNNEL_RETURN)
		return OUTCOME_DROP_MARTIAN_SOURCE;
	return OUTCOME_TO_NETWORK;
}
