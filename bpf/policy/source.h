/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../connection/next_hop.h"
#include "../locate.h"
#include "../net/route.h"
#include "../settings.h"
#include "sender.h"
#include "../tunnel/wrapping.h"
#include "../verdict.h"

/* Whether a packet's source is right. Policies apply to addresses, so the source of every packet that enters this node is checked. A
 * connection caches the result for as long as it caches its next hop. */

/* The origin of a packet from an uplink. */
static __always_inline struct origin origin_of_frame(struct __sk_buff *skb)
{
	const struct ethhdr *ethernet = bytes_at(skb, 0, sizeof(*ethernet));
	struct origin origin = {.interface = skb->ifindex};

	if (ethernet)
		__builtin_memcpy(origin.mac, ethernet->h_source, ETH_ALEN);
	return origin;
}

/* The origin of a packet that `node` wrapped. If our programs unwrapped it, it still has the hardware addresses of the frame that it
 * came in. From the kernel's device it has those of the inner frame, which our programs always write alike. */
static __always_inline struct origin origin_of_tunnel(struct __sk_buff *skb, const struct settings *settings,
						      const struct address *node)
{
	struct origin origin = origin_of_frame(skb);

	origin.interface = settings->tunnel_ifindex;
	origin.node = node->word[0] ^ node->word[1] ^ node->word[2] ^ node->word[3];
	return origin;
}

static __always_inline bool origin_is(const struct origin *known, const struct origin *origin)
{
	return known->interface == origin->interface && known->node == origin->node &&
	       mac_is_equal(known->mac, origin->mac);
}

/* Whether packets of this connection from this origin are known to have the right source. */
static __always_inline bool is_believed(struct connection *connection, const struct origin *origin)
{
	const struct connection *known = next_hop_known(connection);

	return known && origin_is(&known->origin, origin);
}

/* Whether the connection was judged as one that the stack received from another interface than this packet: perhaps from a workload, to
 * which the stack gave the source that this packet has. */
static __always_inline bool is_from_behind_stack(const struct connection *connection, __u32 interface)
{
	return connection->origin.node == ORIGIN_BEFORE_STACK && connection->origin.interface != interface;
}

/* Whether the frame has the hardware address by which this node reaches `node`. If the node is behind a router, that is the router's
 * address. It proves nothing (a router may also send from another one, RFC 9568), so such a packet is accepted. A packet of an unknown
 * neighbour is not accepted: the agent makes the kernel keep the neighbour entries of nodes. */
__global bool frame_is_from(struct __sk_buff *skb, const struct address *node)
{
	const struct settings *settings = settings_get();
	struct scratch *scratch = scratch_get();
	struct bpf_fib_lookup *route;
	enum route_answer answer;

	if (!skb || !settings || !node || !scratch)
		return false;
	route = &scratch->route;
	route_question(route, settings, &settings->node, node);
	answer = route_ask(skb, route);
	if (answer == ROUTE_UNKNOWN)
		return false;
	if (!route_is_straight_to(route, node))
		return true;
	return answer == ROUTE_KNOWN && frame_has_source(skb, route->dmac);
}

/* Checks the source of an unwrapped packet from an uplink. @return ALLOWED, or why it is wrong */
__global enum outcome check_source(struct __sk_buff *skb, const struct address *source)
{
	const struct location *location;
	__u32 flags;

	if (!skb || !source || is_never_a_source(source))
		return OUTCOME_DROP_MARTIAN_SOURCE;
	location = locate(source);
	flags = location_flags(location);
	if (flags & (LOCATION_LOCAL_HOST | LOCATION_BROADCAST))
		return OUTCOME_DROP_MARTIAN_SOURCE;
	if (is_endpoint(source))
		return OUTCOME_DROP_SPOOFED_SOURCE;
	note_sender(source, location);
	if (!location || !(flags & LOCATION_POOL))
		return ALLOWED;
	if ((flags & LOCATION_ENCAPSULATED) || address_is_unset(&location->node))
		return OUTCOME_DROP_SPOOFED_SOURCE;
	return frame_is_from(skb, &location->node) ? ALLOWED : OUTCOME_DROP_SPOOFED_SOURCE;
}

/* Only the node where a workload runs may use the workload's address, and only a node itself may use its own address. */
static __always_inline bool source_belongs_to(const struct address *source, const struct address *peer)
{
	const struct location *location = locate(source);

	if (address_is_equal(source, peer))
		return true;
	return location && address_is_equal(&location->node, peer);
}

/* Checks the source of a wrapped packet. Only clients from outside the cluster reach a service through an entry node; for a workload,
 * its own node chooses the backend. @return as check_source() */
__global enum outcome check_wrapped_source(const struct address *source, const struct wrapping *wrapping)
{
	const struct location *location;
	__u32 flags;

	if (!source || !wrapping || is_never_a_source(source))
		return OUTCOME_DROP_MARTIAN_SOURCE;
	if (wrapping->kind == TUNNEL_OVERLAY)
		return source_belongs_to(source, &wrapping->node) ? ALLOWED : OUTCOME_DROP_SPOOFED_SOURCE;
	location = locate(source);
	flags = location_flags(location);
	if ((flags & LOCATION_POOL) || is_endpoint(source))
		return OUTCOME_DROP_SPOOFED_SOURCE;
	note_sender(source, location);
	/* Answers of a service at this node's address come back with that address as their source. */
	if ((flags & (LOCATION_LOCAL_HOST | LOCATION_BROADCAST)) && wrapping->kind != TUNNEL_RETURN)
		return OUTCOME_DROP_MARTIAN_SOURCE;
	return ALLOWED;
}
