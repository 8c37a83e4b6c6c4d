/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "icmp.h"
#include "rewrite.h"

/* Rewrites an ICMP error inside and outside (RFC 5508). The packet inside is as its sender saw it. */

enum inner_end {
	INNER_SOURCE,
	INNER_DESTINATION,
};

/* An address inside an error of ICMPv6, whose checksum covers it as payload: neither address has a checksum of its own. */
static __always_inline int rewrite_inner_ipv6_address(struct __sk_buff *skb, const struct packet *packet, const struct inner_packet *inner,
						      enum inner_end end, const struct address *old, const struct address *new)
{
	__u32 checksum = packet->l4_offset + offsetof(struct icmp_header, checksum);
	__u32 field = end == INNER_SOURCE ? offsetof(struct ipv6hdr, saddr) : offsetof(struct ipv6hdr, daddr);
	__s64 difference = bpf_csum_diff((__be32 *)old, sizeof(*old), (__be32 *)new, sizeof(*new), 0);

	if (is_ipv4(new) || bpf_l4_csum_replace(skb, checksum, 0, difference, 0))
		return -1;
	return bpf_skb_store_bytes(skb, inner->ip_offset + field, new, sizeof(*new), 0);
}

/* The same in ICMP of IPv4: the inner header's own checksum absorbs the change, so the ICMP checksum stays right. */
static __always_inline int rewrite_inner_address(struct __sk_buff *skb, const struct packet *packet, const struct inner_packet *inner,
						 enum inner_end end, const struct address *old, const struct address *new)
{
	__u16 field = end == INNER_SOURCE ? offsetof(struct iphdr, saddr) : offsetof(struct iphdr, daddr);
	__be32 from = address_to_ipv4(old), to = address_to_ipv4(new);

	if (is_ipv6(skb))
		return rewrite_inner_ipv6_address(skb, packet, inner, end, old, new);
	if (bpf_l3_csum_replace(skb, inner->ip_offset + offsetof(struct iphdr, check), from, to, sizeof(__be32)))
		return -1;
	return bpf_skb_store_bytes(skb, inner->ip_offset + field, &to, sizeof(to), 0);
}

static __always_inline int rewrite_inner_port(struct __sk_buff *skb, const struct packet *packet, const struct inner_packet *inner,
					      enum inner_end end, __be16 old, __be16 new)
{
	__u16 field = !has_ports(&inner->tuple) ? ICMP_IDENTIFIER
		      : end == INNER_SOURCE	? offsetof(struct udphdr, source)
						: offsetof(struct udphdr, dest);
	__u16 checksum = packet->l4_offset + offsetof(struct icmp_header, checksum);

	if (old == new)
		return 0;
	if (bpf_l4_csum_replace(skb, checksum, old, new, sizeof(__be16)))
		return -1;
	return bpf_skb_store_bytes(skb, inner->l4_offset + field, &new, sizeof(new), 0);
}
