/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../maps/announced.h"
#include "advertisement.h"
#include "arp.h"

/* Load balancer addresses on an uplink. The node's stack does not have these addresses, so no process of the node can listen there. */

enum neighbour_frame {
	NEIGHBOUR_OTHER,   /* about no address that this node announces */
	NEIGHBOUR_REQUEST, /* asks for one */
	NEIGHBOUR_CLAIM,   /* another host says that it has one */
};

/* `address` is copied to the stack, where the key of a map must be. */
static __always_inline const struct announcement *announcement_of(const struct __sk_buff *skb, const struct address *address)
{
	struct announced key = {.address = *address, .interface = skb->ifindex};
	const struct announcement *found = bpf_map_lookup_elem(&announced, &key);

	return found && bpf_ktime_get_ns() < found->until ? found : NULL;
}

static __always_inline const struct announcement *announcement_of_ipv4(const struct __sk_buff *skb, __be32 ipv4)
{
	struct address address = address_from_ipv4(ipv4);

	return announcement_of(skb, &address);
}

/* What a frame of ARP from an uplink says about announced addresses. A probe, whose sender has no address yet (RFC 5227), is a request. */
static __noinline enum neighbour_frame read_arp(struct __sk_buff *skb)
{
	struct arp_frame arp;

	if (!skb || !arp_read(skb, &arp))
		return NEIGHBOUR_OTHER;
	if (announcement_of_ipv4(skb, arp.sender))
		return NEIGHBOUR_CLAIM;
	if (arp.operation == bpf_htons(ARP_REQUEST) && announcement_of_ipv4(skb, arp.target))
		return NEIGHBOUR_REQUEST;
	return NEIGHBOUR_OTHER;
}

/* The same for a packet of PARSE_DISCOVERY. A packet whose source is an announced address claims it: hosts learn from solicitations too. */
static __noinline enum neighbour_frame read_discovery(const struct packet *packet)
{
	struct neighbour_message message;

	if (!packet)
		return NEIGHBOUR_OTHER;
	if (announcement_of(packet->skb, &packet->tuple.source))
		return NEIGHBOUR_CLAIM;
	if (bpf_skb_load_bytes(packet->skb, packet->l4_offset, &message, sizeof(message)))
		return NEIGHBOUR_OTHER;
	if (message.type != ND_NEIGHBOUR_ADVERTISEMENT && !may_be_answered(packet, &message))
		return NEIGHBOUR_OTHER;
	if (!announcement_of(packet->skb, &message.target))
		return NEIGHBOUR_OTHER;
	return message.type == ND_NEIGHBOUR_ADVERTISEMENT ? NEIGHBOUR_CLAIM : NEIGHBOUR_REQUEST;
}

static __always_inline int answer_arp(struct __sk_buff *skb)
{
	const struct announcement *announcement;
	struct arp_frame arp;

	if (!arp_read(skb, &arp))
		return -1;
	announcement = announcement_of_ipv4(skb, arp.target);
	return announcement ? arp_reply(skb, &arp, announcement->mac) : -1;
}

static __always_inline int answer_solicitation(struct __sk_buff *skb)
{
	const struct announcement *announcement;
	struct solicitation asked;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &asked, sizeof(asked)))
		return -1;
	announcement = announcement_of(skb, &asked.message.target);
	return announcement ? advertise(skb, &asked, announcement->mac) : -1;
}

/* Turns a NEIGHBOUR_REQUEST into its answer. @return 0, or an error */
__global int answer_neighbour(struct __sk_buff *skb)
{
	return is_ipv6(skb) ? answer_solicitation(skb) : answer_arp(skb);
}
