/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../settings.h"
#include "device.h"
#include "ipip.h"
#include "vxlan.h"

/* All that the packet path knows about encapsulations: which packets are between nodes, wrap(), unwrap(), and the same by the kernel's
 * device. */

/* The encapsulation of a workload's packets to the location. */
static __always_inline enum encapsulation encapsulation_to(__u32 location_flags, const struct address *destination)
{
	return (location_flags & LOCATION_IPIP) && is_ipv4(destination) ? ENCAPSULATION_IPIP : ENCAPSULATION_VXLAN;
}

/* The next hop by which a connection caches that its packets are wrapped. */
static __always_inline enum next_hop_kind next_hop_kind_of(const struct wrapping *wrapping)
{
	return wrapping->encapsulation == ENCAPSULATION_IPIP ? NEXT_HOP_NODE_IPIP : NEXT_HOP_NODE;
}

/* Bytes of outer headers. */
static __always_inline __u32 outer_length(const struct wrapping *wrapping)
{
	if (wrapping->encapsulation == ENCAPSULATION_IPIP)
		return sizeof(struct iphdr);
	return sizeof(struct outer_headers) + (is_ipv4(&wrapping->node) ? 0 : sizeof(struct ipv6hdr) - sizeof(struct iphdr));
}

/* Bytes that encryption adds: WireGuard's IP and UDP headers, its own of 16, and an authentication tag of 16. */
static __always_inline __u32 encryption_length(const struct settings *settings, const struct wrapping *wrapping)
{
	if (!encrypts(settings))
		return 0;
	return (is_ipv4(&wrapping->node) ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)) + sizeof(struct udphdr) + 32;
}

/* By how many bytes a packet becomes longer on its way to a node. */
static __always_inline __u32 tunnel_room(const struct settings *settings, const struct wrapping *wrapping)
{
	return outer_length(wrapping) + encryption_length(settings, wrapping);
}

/* The same for each packet on the link: wrap() makes a client's large segments smaller by the size of the outer headers. */
static __always_inline __u32 wrapping_adds(const struct __sk_buff *skb, const struct settings *settings, const struct wrapping *wrapping)
{
	return (skb->gso_size && wrapping->kind != TUNNEL_OVERLAY ? 0 : outer_length(wrapping)) + encryption_length(settings, wrapping);
}

/* Whether the packet, with all its segments, can be wrapped. */
static __always_inline bool is_wrappable(const struct __sk_buff *skb, const struct wrapping *wrapping)
{
	return skb->len - ETH_HLEN + outer_length(wrapping) <= 0xffff;
}

/* Writes the outer headers; the packet's whole length fits (is_wrappable). @param tuple the packet's. @return 0; TC_ACT_SHOT: the packet is lost; -1:
 * nothing was touched */
static __always_inline int wrap(struct __sk_buff *skb, const struct tuple *tuple, const struct settings *settings,
				const struct wrapping *wrapping, const struct next_hop *hop)
{
	return wrapping->encapsulation == ENCAPSULATION_IPIP ? wrap_in_ipip(skb, settings, wrapping, hop)
							     : wrap_in_vxlan(skb, tuple, settings, wrapping, hop);
}

static __always_inline bool is_of_node(const struct address *address)
{
	return location_flags(locate(address)) & LOCATION_REMOTE_HOST;
}

/* Whether only this project's programs may send this packet to another node. Tunnels of other software may be IPIP, too, but lead
 * elsewhere. */
static __always_inline bool is_to_tunnel(const struct tuple *tuple)
{
	return is_tunnel_packet(tuple) || (is_ipip(tuple) && is_of_node(&tuple->destination));
}

/* The same for a packet that arrives at an address of this node. */
static __always_inline bool is_from_tunnel(const struct tuple *tuple)
{
	return is_tunnel_packet(tuple) || (is_ipip(tuple) && is_of_node(&tuple->source));
}

/* Whether one of our nodes wrapped this packet of the tunnel for this node. */
static __always_inline bool is_wrapped_for_us(const struct packet *packet, const struct settings *settings)
{
	return address_is_equal(&packet->tuple.destination, &settings->node) && is_of_node(&packet->tuple.source);
}

/* Whether the kernel has a device for packets that unwrap() cannot handle. */
static __always_inline bool has_device(const struct tuple *tuple)
{
	return is_tunnel_packet(tuple);
}

/* Takes the outer headers off. @return false: the packet is untouched, and goes to the kernel's device; without a device it can only be
 * dropped */
static __always_inline bool unwrap(struct packet *packet, struct wrapping *wrapping)
{
	return is_ipip(&packet->tuple) ? unwrap_ipip(packet, wrapping) : unwrap_vxlan(packet, wrapping);
}
