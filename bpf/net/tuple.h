/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "ipv4.h"
#include "ipv6.h"

/* Reads the addresses of an IPv6 packet into a zeroed tuple; the ports only if there are no extension headers. */
static __always_inline void read_ipv6_tuple(struct __sk_buff *skb, struct tuple *tuple)
{
	bpf_skb_load_bytes(skb, ETH_HLEN + offsetof(struct ipv6hdr, nexthdr), &tuple->protocol, sizeof(tuple->protocol));
	bpf_skb_load_bytes(skb, ETH_HLEN + offsetof(struct ipv6hdr, saddr), &tuple->source, 2 * sizeof(struct address));
	if (begins_with_ports(tuple->protocol))
		bpf_skb_load_bytes(skb, IPV6_END, &tuple->source_port, 2 * sizeof(__be16));
}

/* Reads the addresses that a packet carries at this moment; they are unset for a packet that is not IP. Field by field into the tuple,
 * because a drop may happen deep in a call chain, where little stack is left. The tuple may hold another packet's addresses. */
static __always_inline void read_tuple(struct __sk_buff *skb, struct tuple *tuple)
{
	__be16 fragment = 0;
	__u8 length = 0;

	__builtin_memset(tuple, 0, sizeof(*tuple));
	if (is_ipv6(skb))
		return read_ipv6_tuple(skb, tuple);
	if (skb->protocol != bpf_htons(ETH_P_IP) || bpf_skb_load_bytes(skb, IP_OFFSET, &length, sizeof(length)))
		return;
	bpf_skb_load_bytes(skb, IP_OFFSET + offsetof(struct iphdr, protocol), &tuple->protocol, sizeof(tuple->protocol));
	bpf_skb_load_bytes(skb, IP_OFFSET + offsetof(struct iphdr, saddr), &tuple->source.word[3], sizeof(__be32));
	bpf_skb_load_bytes(skb, IP_OFFSET + offsetof(struct iphdr, daddr), &tuple->destination.word[3], sizeof(__be32));
	bpf_skb_load_bytes(skb, IP_OFFSET + offsetof(struct iphdr, frag_off), &fragment, sizeof(fragment));
	tuple->source.word[2] = tuple->destination.word[2] = bpf_htonl(0xffff);
	if (!begins_with_ports(tuple->protocol) || (fragment & bpf_htons(IP_FRAGMENT_OFFSET)))
		return; /* a later fragment has no ports */
	bpf_skb_load_bytes(skb, IP_OFFSET + (length & 0xf) * 4, &tuple->source_port, 2 * sizeof(__be16));
}
