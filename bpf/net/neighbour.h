/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../maps/announced.h"
#include "arp.h"

/* Load balancers' addresses on an uplink. The node's stack does not have them, so that nothing of the node listens there. */

enum neighbour_frame {
	NEIGHBOUR_OTHER,   /* about no address that this node announces */
	NEIGHBOUR_REQUEST, /* asks for one */
	NEIGHBOUR_CLAIM,   /* another host says that it has one */
};

static __always_inline const struct announcement *announcement_of(const struct __sk_buff *skb, __be32 ipv4)
{
	struct announced key = {.address = address_from_ipv4(ipv4), .interface = skb->ifindex};
	const struct announcement *found = bpf_map_lookup_elem(&announced, &key);

	return found && bpf_ktime_get_ns() < found->until ? found : NULL;
}

/* What a frame from an uplink says of announced addresses. A probe, which has no sender yet (RFC 5227), is a request. */
static __noinline enum neighbour_frame read_neighbour(struct __sk_buff *skb)
{
	struct arp_frame arp;

	if (!skb || !arp_read(skb, &arp))
		return NEIGHBOUR_OTHER;
	if (announcement_of(skb, arp.sender))
		return NEIGHBOUR_CLAIM;
	if (arp.operation == bpf_htons(ARP_REQUEST) && announcement_of(skb, arp.target))
		return NEIGHBOUR_REQUEST;
	return NEIGHBOUR_OTHER;
}

/* Turns a NEIGHBOUR_REQUEST into its answer. @return 0, or an error */
static __noinline int answer_neighbour(struct __sk_buff *skb)
{
	const struct announcement *announcement;
	struct arp_frame arp;

	if (!skb || !arp_read(skb, &arp))
		return -1;
	announcement = announcement_of(skb, arp.target);
	return announcement ? arp_reply(skb, &arp, announcement->mac) : -1;
}
