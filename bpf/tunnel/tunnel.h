/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "device.h"
#include "vxlan.h"

/* All that the packet path knows of encapsulations: is_tunnel_packet(), wrap(), unwrap(), and the same by the kernel's device. */

/* Bytes that wrapping adds for this node. */
static __always_inline __u32 tunnel_room(const struct address *node)
{
	return sizeof(struct outer_headers) + (is_ipv4(node) ? 0 : sizeof(struct ipv6hdr) - sizeof(struct iphdr));
}

/* Bytes that wrapping adds to each packet on the link: wrap() makes a client's large segments smaller by as many. */
static __always_inline __u32 wrapping_adds(const struct __sk_buff *skb, const struct wrapping *wrapping)
{
	return skb->gso_size && wrapping->kind != TUNNEL_OVERLAY ? 0 : tunnel_room(&wrapping->node);
}

/* Whether the packet, with all its segments, can be wrapped. */
static __always_inline bool is_wrappable(const struct __sk_buff *skb, const struct address *node)
{
	return skb->len - ETH_HLEN + tunnel_room(node) <= 0xffff;
}
