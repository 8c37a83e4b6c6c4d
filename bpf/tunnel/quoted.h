/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "tunnel.h"

/* A packet that this node wrapped, as a router's error quotes it. */

/* The headers that VXLAN put between the outer IP header and the packet. */
struct quoted_headers {
	struct udphdr udp;
	struct vxlan_header vxlan;
	struct ethhdr inner;
} __attribute__((packed, aligned(2)));

/* Whether the error is about a packet between nodes, which this node wrapped. @param tuple of the packet that an error quotes */
static __always_inline bool is_wrapped_here(const struct tuple *tuple, const struct settings *settings)
{
	return is_to_tunnel(tuple) && address_is_equal(&tuple->source, &settings->node);
}

/* @param inner the packet as it was wrapped; becomes the one inside. @return 0; -1: the router has quoted too little of it */
static __always_inline int read_quoted(struct __sk_buff *skb, struct inner_packet *inner, struct wrapping *wrapping)
{
	struct quoted_headers headers;

	if (is_ipip(&inner->tuple)) {
		*wrapping = (struct wrapping){.node = inner->tuple.destination, .encapsulation = ENCAPSULATION_IPIP};
		inner->ip_offset = inner->l4_offset;
		return parse_quoted(skb, inner, false);
	}
	if (bpf_skb_load_bytes(skb, inner->l4_offset, &headers, sizeof(headers)))
		return -1;
	*wrapping = wrapping_in(&inner->tuple.destination, bpf_ntohl(headers.vxlan.vni) >> VXLAN_SHIFT, 0);
	inner->ip_offset = inner->l4_offset + sizeof(headers);
	return parse_quoted(skb, inner, headers.inner.h_proto == bpf_htons(ETH_P_IPV6));
}

/* Turns an error into the packet inside the packet that it is about. @return 0, or -1 */
static __always_inline int become_quoted(struct __sk_buff *skb, const struct inner_packet *inner)
{
	__s32 before = inner->ip_offset - ETH_HLEN;
	bool is_inner_ipv6 = !is_ipv4(&inner->tuple.source);
	struct ethhdr *ethernet;

	if (is_inner_ipv6) { /* the only way before Linux 6.3; makes the header as much larger */
		if (bpf_skb_change_proto(skb, bpf_htons(ETH_P_IPV6), 0))
			return -1;
		before += sizeof(struct ipv6hdr) - sizeof(struct iphdr);
	}
	if (bpf_skb_adjust_room(skb, -before, BPF_ADJ_ROOM_MAC, 0))
		return -1;
	ethernet = bytes_at(skb, 0, sizeof(*ethernet));
	if (ethernet && is_inner_ipv6)
		ethernet->h_proto = bpf_htons(ETH_P_IPV6);
	return ethernet ? 0 : -1;
}
