/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "packet.h"
#include <linux/ip.h>

/* The IPv4 header (RFC 791). */

#define IP_OFFSET ETH_HLEN
#define IP_DONT_FRAGMENT 0x4000
#define IP_MORE_FRAGMENTS 0x2000
#define IP_FRAGMENT_OFFSET 0x1fff
#define IP_NOT_WHOLE (IP_MORE_FRAGMENTS | IP_FRAGMENT_OFFSET)
#define IP_ECN_MASK 0x03
#define IP_ECN_CONGESTED 0x03
#define IP_ECN_CAPABLE 0x02
#define IPV4_LEAST_MTU 68 /* RFC 791, 3.2 */

static __always_inline struct iphdr *ip_header(struct __sk_buff *skb)
{
	return bytes_at(skb, IP_OFFSET, sizeof(struct iphdr));
}

/* Takes one hop from a header that has more than one left. */
static __always_inline void take_hop(struct iphdr *ip)
{
	__u32 check = ip->check + bpf_htons(0x0100); /* RFC 1141: the TTL is the high byte of its word */

	ip->check = check + (check >= 0xffff);
	ip->ttl--;
}

/* Takes one hop from the TTL. @return 0; -1: the TTL ends here, and nothing was changed */
static __always_inline int decrement_ipv4_ttl(struct __sk_buff *skb)
{
	struct iphdr *ip = ip_header(skb);

	if (!ip && !bpf_skb_pull_data(skb, IP_OFFSET + sizeof(*ip)))
		ip = ip_header(skb);
	if (!ip || ip->ttl <= 1)
		return -1;
	take_hop(ip);
	return 0;
}

/* The header's checksum after one 32-bit word of it has changed (RFC 1624, equation 3). */
static __always_inline __u16 ip_checksum_changed(__u16 check, __be32 old, __be32 new)
{
	__u32 sum = (__u16)~check + (__u16)~old + (__u16)~(old >> 16) + (__u16)new + (__u16)(new >> 16);

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* RFC 1071, over a header without options that lies on 2 bytes. */
static __always_inline __be16 ip_checksum(const void *header)
{
	__u16 half[sizeof(struct iphdr) / sizeof(__u16)];
	__u32 sum = 0;

	__builtin_memcpy(half, header, sizeof(half));
#pragma unroll
	for (__u32 i = 0; i < sizeof(half) / sizeof(*half); i++)
		sum += half[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}
