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

/* Of the packet once it is wrapped, without Ethernet; 0: it cannot be. */
static __always_inline __u16 wrapped_length(const struct __sk_buff *skb, const struct address *node)
{
	__u32 length = skb->len - ETH_HLEN + tunnel_room(node);

	return length > 0xffff ? 0 : length;
}
