/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "ipv4.h"
#include "ipv6.h"

/* ICMP of both families: RFC 792, RFC 4443. */

/* linux/icmp.h pulls in the C library's socket headers, which BPF has not. */
struct icmp_header {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__be16 identifier;
	__be16 sequence;
};

enum icmp_type {
	ICMP_ECHO_REPLY = 0,
	ICMP_UNREACHABLE = 3,
	ICMP_ECHO_REQUEST = 8,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETER_PROBLEM = 12,
};

#define ICMP_FRAG_NEEDED 4 /* code of ICMP_UNREACHABLE */

enum icmpv6_type {
	ICMPV6_UNREACHABLE = 1,
	ICMPV6_TOO_BIG = 2,
	ICMPV6_TIME_EXCEEDED = 3,
	ICMPV6_PARAMETER_PROBLEM = 4,
	ICMPV6_ECHO_REQUEST = 128,
	ICMPV6_ECHO_REPLY = 129,
};

/* Stands for the one who answers an echo, as its port does for UDP (RFC 862). */
#define ECHO_PORT 7

/* A request comes from its identifier, a reply goes to it, so the host that was asked cannot send requests on the same flow. False:
 * not an echo. */
static __always_inline bool echo_ports(struct tuple *tuple, __u8 type, __be16 identifier)
{
	bool ipv6 = tuple->protocol == IPPROTO_ICMPV6;
	bool request = type == (ipv6 ? ICMPV6_ECHO_REQUEST : ICMP_ECHO_REQUEST);

	if (!request && type != (ipv6 ? ICMPV6_ECHO_REPLY : ICMP_ECHO_REPLY))
		return false;
	tuple->source_port = request ? identifier : bpf_htons(ECHO_PORT);
	tuple->destination_port = request ? bpf_htons(ECHO_PORT) : identifier;
	return true;
}

/* The type and code by which policies know a flow of echoes: those of its requests, as `type << 8 | code`. */
static __always_inline __be16 echo_request(const struct tuple *flow)
{
	return bpf_htons((flow->protocol == IPPROTO_ICMPV6 ? ICMPV6_ECHO_REQUEST : ICMP_ECHO_REQUEST) << 8);
}

static __always_inline bool is_icmp_error(__u8 protocol, __u8 type)
{
	if (protocol == IPPROTO_ICMPV6)
		return type >= ICMPV6_UNREACHABLE && type <= ICMPV6_PARAMETER_PROBLEM;
	return type == ICMP_UNREACHABLE || type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETER_PROBLEM;
}

/* The checksum of what was summed (RFC 1071). */
static __always_inline __be16 folded(__s64 sum)
{
	__u32 folded = (__u32)sum;

	folded = (folded & 0xffff) + (folded >> 16);
	folded = (folded & 0xffff) + (folded >> 16);
	return ~folded;
}

/* Bytes, without Ethernet. */
#define LARGEST_ERROR 576      /* RFC 1812, 4.3.2.3 */
#define LARGEST_IPV6_ERROR 1280 /* RFC 4443, 2.4 c */

/* The packet that an ICMP error is about: inside the error, as its sender saw it. */
struct inner_packet {
	struct tuple tuple;
	__u16 ip_offset;
	__u16 l4_offset;
};

/* Separate functions, so that no frame carries both families. A later fragment has no ports in it. @return 0, or -1 */
static __noinline int parse_inner_ipv4(struct __sk_buff *skb, struct inner_packet *inner)
{
	struct iphdr ip;

	if (!inner || bpf_skb_load_bytes(skb, inner->ip_offset, &ip, sizeof(ip)) || ip.version != 4 || ip.ihl < 5 ||
	    (ip.frag_off & bpf_htons(IP_FRAGMENT_OFFSET)) || ip.protocol == IPPROTO_ICMPV6)
		return -1;
	inner->l4_offset = inner->ip_offset + ip.ihl * 4;
	inner->tuple.source = address_from_ipv4(ip.saddr);
	inner->tuple.destination = address_from_ipv4(ip.daddr);
	inner->tuple.protocol = ip.protocol;
	return 0;
}

static __noinline int parse_inner_ipv6(struct __sk_buff *skb, struct inner_packet *inner)
{
	struct ipv6_chain chain = {};
	__be16 first;

	if (!inner || bpf_skb_load_bytes(skb, inner->ip_offset, &first, sizeof(first)) || bpf_ntohs(first) >> 12 != 6 ||
	    bpf_skb_load_bytes(skb, inner->ip_offset + offsetof(struct ipv6hdr, nexthdr), &chain.protocol,
			       sizeof(chain.protocol)) ||
	    bpf_skb_load_bytes(skb, inner->ip_offset + offsetof(struct ipv6hdr, saddr), &inner->tuple.source,
			       2 * sizeof(struct address)))
		return -1;
	if (is_reserved_for_keys(&inner->tuple.source) || is_reserved_for_keys(&inner->tuple.destination))
		return -1;
	chain.offset = inner->ip_offset + sizeof(struct ipv6hdr);
	if (walk_extensions(skb, &chain) || (chain.fragment & IPV6_FRAGMENT_OFFSET) || chain.protocol == IPPROTO_ICMP)
		return -1;
	inner->l4_offset = chain.offset;
	inner->tuple.protocol = chain.protocol;
	return 0;
}

static __always_inline int parse_inner(const struct packet *packet, struct inner_packet *inner)
{
	struct __sk_buff *skb = packet->skb;
	struct icmp_header l4; /* its first bytes are the ports of TCP, UDP and SCTP */
	struct tuple *tuple = &inner->tuple;

	__builtin_memset(inner, 0, sizeof(*inner));
	inner->ip_offset = packet->l4_offset + sizeof(struct icmp_header);
	if (is_ipv6(skb) ? parse_inner_ipv6(skb, inner) : parse_inner_ipv4(skb, inner))
		return -1;
	if (bpf_skb_load_bytes(skb, inner->l4_offset, &l4, sizeof(l4)))
		return -1;
	if (!has_ports(tuple))
		return echo_ports(tuple, l4.type, l4.identifier) ? 0 : -1;
	if (!begins_with_ports(tuple->protocol))
		return -1;
	tuple->source_port = ((__be16 *)&l4)[0];
	tuple->destination_port = ((__be16 *)&l4)[1];
	return 0;
}

/* The same, of an error that is not too large and goes to the sender of the packet inside it. */
static __always_inline bool read_inner(const struct packet *packet, struct inner_packet *inner)
{
	__u32 largest = is_ipv6(packet->skb) ? LARGEST_IPV6_ERROR : LARGEST_ERROR;

	return packet->skb->len - ETH_HLEN <= largest && !parse_inner(packet, inner) &&
	       address_is_equal(&packet->tuple.destination, &inner->tuple.source);
}
