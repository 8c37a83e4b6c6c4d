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
	ICMP_TIMESTAMP = 13,
	ICMP_ADDRESS_MASK_REPLY = 18,
};

#define ICMP_FRAG_NEEDED 4 /* code of ICMP_UNREACHABLE */

enum icmpv6_type {
	ICMPV6_UNREACHABLE = 1,
	ICMPV6_TOO_BIG = 2,
	ICMPV6_TIME_EXCEEDED = 3,
	ICMPV6_PARAMETER_PROBLEM = 4,
	ICMPV6_ECHO_REQUEST = 128,
	ICMPV6_ECHO_REPLY = 129,
	ICMPV6_INFORMATION_QUERY = 139,
	ICMPV6_INFORMATION_REPLY = 140,
};

/* The number by which policies know a message. In a tuple it is the port of the host that is asked. */
#define ICMP_PORT(type, code) bpf_htons((type) << 8 | (code))

enum icmp_role {
	ICMP_QUERY,
	ICMP_ANSWER,
	ICMP_ALONE, /* no query that hosts answer, and no answer to one */
};

/* Queries: echo, timestamp, information and address mask (RFC 792, RFC 950); of ICMPv6 echo and node information (RFC 4443, RFC 4620).
 * Their answers have the next type, but for the echo's of ICMP. */
static __always_inline enum icmp_role icmp_role_of(__u8 protocol, __u8 type)
{
	if (protocol == IPPROTO_ICMPV6)
		return type == ICMPV6_ECHO_REQUEST || type == ICMPV6_INFORMATION_QUERY ? ICMP_QUERY
		       : type == ICMPV6_ECHO_REPLY || type == ICMPV6_INFORMATION_REPLY ? ICMP_ANSWER
										       : ICMP_ALONE;
	if (type == ICMP_ECHO_REQUEST || type == ICMP_ECHO_REPLY)
		return type ? ICMP_QUERY : ICMP_ANSWER;
	if (type < ICMP_TIMESTAMP || type > ICMP_ADDRESS_MASK_REPLY)
		return ICMP_ALONE;
	return type & 1 ? ICMP_QUERY : ICMP_ANSWER;
}

/* A query comes from its identifier and goes to its type and code; its answer comes from there. So the host that was asked cannot ask on
 * the same flow. Answers have the query's code (RFC 792; Linux repeats it). Of other messages, the destination port is their own type
 * and code. */
static __always_inline enum icmp_role icmp_ports(struct tuple *tuple, __u8 type, __u8 code, __be16 identifier)
{
	enum icmp_role role = icmp_role_of(tuple->protocol, type);

	if (role == ICMP_ANSWER) {
		tuple->source_port = ICMP_PORT(type == ICMP_ECHO_REPLY ? ICMP_ECHO_REQUEST : type - 1, code);
		tuple->destination_port = identifier;
	} else {
		tuple->source_port = role == ICMP_QUERY ? identifier : 0;
		tuple->destination_port = ICMP_PORT(type, code);
	}
	return role;
}

/* The type and code of an answer. */
static __always_inline __be16 icmp_answer_port(const struct tuple *answer)
{
	__u16 query = bpf_ntohs(answer->source_port);

	if (answer->protocol == IPPROTO_ICMP && query >> 8 == ICMP_ECHO_REQUEST)
		return ICMP_PORT(ICMP_ECHO_REPLY, query & 0xff);
	return bpf_htons(query + 0x100);
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

/* Separate functions, so that no frame of the stack carries both families. A later fragment inside the error has no ports. @return 0, or
 * -1 */
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

/* The packet whose header is at `ip_offset`. */
static __always_inline int parse_quoted(struct __sk_buff *skb, struct inner_packet *inner, bool is_inner_ipv6)
{
	struct icmp_header l4; /* its first bytes are the ports of TCP, UDP and SCTP */
	struct tuple *tuple = &inner->tuple;

	if (is_inner_ipv6 ? parse_inner_ipv6(skb, inner) : parse_inner_ipv4(skb, inner))
		return -1;
	if (bpf_skb_load_bytes(skb, inner->l4_offset, &l4, sizeof(l4)))
		return -1;
	if (!has_ports(tuple))
		return icmp_ports(tuple, l4.type, l4.code, l4.identifier) != ICMP_ALONE ? 0 : -1;
	if (!begins_with_ports(tuple->protocol))
		return -1;
	tuple->source_port = ((__be16 *)&l4)[0];
	tuple->destination_port = ((__be16 *)&l4)[1];
	return 0;
}

static __always_inline int parse_inner(const struct packet *packet, struct inner_packet *inner)
{
	__builtin_memset(inner, 0, sizeof(*inner));
	inner->ip_offset = packet->l4_offset + sizeof(struct icmp_header);
	return parse_quoted(packet->skb, inner, is_ipv6(packet->skb));
}

/* Whether an error is not too large and goes to the sender of the packet inside it. */
static __always_inline bool is_error_for_sender(const struct packet *packet, const struct inner_packet *inner)
{
	__u32 largest = is_ipv6(packet->skb) ? LARGEST_IPV6_ERROR : LARGEST_ERROR;

	return packet->skb->len - ETH_HLEN <= largest && address_is_equal(&packet->tuple.destination, &inner->tuple.source);
}

static __always_inline bool read_inner(const struct packet *packet, struct inner_packet *inner)
{
	return !parse_inner(packet, inner) && is_error_for_sender(packet, inner);
}

/* Whether an error may be about a packet of a tunnel over IPv4: it is of IPv4 and not about TCP. Costs the reading of one byte. */
static __always_inline bool may_be_about_tunnel(const struct packet *packet)
{
	__u32 inner = packet->l4_offset + sizeof(struct icmp_header);
	__u8 protocol;

	return packet->tuple.protocol == IPPROTO_ICMP &&
	       !bpf_skb_load_bytes(packet->skb, inner + offsetof(struct iphdr, protocol), &protocol, sizeof(protocol)) &&
	       protocol != IPPROTO_TCP;
}

/* How many bytes of the packet inside fit, as an error of IPv4 says; 0: the number cannot be right (RFC 5927, 7.2); -1: the error says
 * something else. */
static __always_inline __s32 fits_by_error(const struct packet *packet, const struct inner_packet *inner)
{
	struct __sk_buff *skb = packet->skb;
	struct icmp_header icmp;
	__be16 length;

	if (packet->tuple.protocol != IPPROTO_ICMP || bpf_skb_load_bytes(skb, packet->l4_offset, &icmp, sizeof(icmp)) ||
	    icmp.type != ICMP_UNREACHABLE || icmp.code != ICMP_FRAG_NEEDED)
		return -1;
	if (bpf_skb_load_bytes(skb, inner->ip_offset + offsetof(struct iphdr, tot_len), &length, sizeof(length)))
		return -1;
	return bpf_ntohs(icmp.sequence) < bpf_ntohs(length) ? bpf_ntohs(icmp.sequence) : 0;
}
