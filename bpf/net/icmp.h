/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "ipv4.h"

/* RFC 792; linux/icmp.h pulls in the C library's socket headers, which BPF has not. */
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

/* Stands for the one who answers an echo, as its port does for UDP (RFC 862). */
#define ECHO_PORT 7

/* A request comes from its identifier, a reply goes to it, so the host that was asked cannot send requests on the same flow. False:
 * not an echo. */
static __always_inline bool echo_ports(struct tuple *tuple, __u8 type, __be16 identifier)
{
	bool request = type == ICMP_ECHO_REQUEST;

	if (!request && type != ICMP_ECHO_REPLY)
		return false;
	tuple->source_port = request ? identifier : bpf_htons(ECHO_PORT);
	tuple->destination_port = request ? bpf_htons(ECHO_PORT) : identifier;
	return true;
}

static __always_inline bool is_icmp_error(__u8 type)
{
	return type == ICMP_UNREACHABLE || type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETER_PROBLEM;
}

#define LARGEST_ERROR 576 /* bytes, without Ethernet: RFC 1812, 4.3.2.3 */

/* The packet that an ICMP error is about: inside the error, as its sender saw it. */
struct inner_packet {
	struct tuple tuple;
	__u16 ip_offset;
	__u16 l4_offset;
};

static __always_inline int parse_inner(const struct packet *packet, struct inner_packet *inner)
{
	struct __sk_buff *skb = packet->skb;
	struct iphdr ip;
	struct icmp_header l4; /* its first bytes are the ports of TCP and UDP */

	__builtin_memset(inner, 0, sizeof(*inner));
	inner->ip_offset = packet->l4_offset + sizeof(struct icmp_header);
	if (bpf_skb_load_bytes(skb, inner->ip_offset, &ip, sizeof(ip)) || ip.version != 4 || ip.ihl < 5 ||
	    (ip.frag_off & bpf_htons(IP_FRAGMENT_OFFSET))) /* no ports in it */
		return -1;
	inner->l4_offset = inner->ip_offset + ip.ihl * 4;
	inner->tuple.source = address_from_ipv4(ip.saddr);
	inner->tuple.destination = address_from_ipv4(ip.daddr);
	inner->tuple.protocol = ip.protocol;
	if (bpf_skb_load_bytes(skb, inner->l4_offset, &l4, sizeof(l4)))
		return -1;
	if (ip.protocol == IPPROTO_ICMP)
		return echo_ports(&inner->tuple, l4.type, l4.identifier) ? 0 : -1;
	if (ip.protocol != IPPROTO_TCP && ip.protocol != IPPROTO_UDP)
		return -1;
	inner->tuple.source_port = ((__be16 *)&l4)[0];
	inner->tuple.destination_port = ((__be16 *)&l4)[1];
	return 0;
}

/* The same, of an error that is not too large and goes to the sender of the packet inside it. */
static __always_inline bool read_inner(const struct packet *packet, struct inner_packet *inner)
{
	return packet->skb->len - ETH_HLEN <= LARGEST_ERROR && !parse_inner(packet, inner) &&
	       address_is_equal(&packet->tuple.destination, &inner->tuple.source);
}
