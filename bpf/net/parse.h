/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "packet.h"

enum parse_result {
	PARSE_OK,
	PARSE_NOT_IP,	   /* ARP and the like: the kernel's business */
	PARSE_IPV6,	   /* not handled for workloads yet */
	PARSE_UNTRACKED,   /* IPv4 without ports we know (SCTP, GRE): addresses are set */
	PARSE_ICMP_ERROR,  /* about another packet, whose headers it carries: see relate.h */
	PARSE_MALFORMED,
	PARSE_FRAGMENT,	   /* a later fragment whose first was not seen */
};

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

#define IP_MORE_FRAGMENTS 0x2000
#define IP_FRAGMENT_OFFSET 0x1fff


static __always_inline struct fragment_key fragment_key_of(const struct packet *packet, __be16 identification)
{
	return (struct fragment_key){
		.source = packet->tuple.source,
		.destination = packet->tuple.destination,
		.identification = identification,
		.protocol = packet->tuple.protocol,
	};
}

static __always_inline enum parse_result parse_later_fragment(struct packet *packet, __be16 identification)
{
	struct fragment_key key = fragment_key_of(packet, identification);
	const struct fragment_ports *ports = bpf_map_lookup_elem(&fragments, &key);

	if (!ports)
		return PARSE_FRAGMENT;
	packet->tuple.source_port = ports->source_port;
	packet->tuple.destination_port = ports->destination_port;
	return PARSE_OK;
}

static __always_inline void remember_first_fragment(const struct packet *packet, __be16 identification)
{
	struct fragment_key key = fragment_key_of(packet, identification);
	struct fragment_ports ports = {packet->tuple.source_port, packet->tuple.destination_port};

	bpf_map_update_elem(&fragments, &key, &ports, BPF_ANY);
}

/* Stands for the one who answers an echo, as its port does for UDP (RFC 862). */
#define ECHO_PORT 7

/* A request comes from its identifier, a reply goes to it: who was asked must not ask by that. False: no echo. */
static __always_inline bool echo_ports(struct tuple *tuple, __u8 type, __be16 identifier)
{
	bool request = type == ICMP_ECHO_REQUEST;

	if (!request && type != ICMP_ECHO_REPLY)
		return false;
	tuple->source_port = request ? identifier : bpf_htons(ECHO_PORT);
	tuple->destination_port = request ? bpf_htons(ECHO_PORT) : identifier;
	return true;
}

/* The TCP header behind an IP header without options, where it lies in one piece; else NULL. */
static __always_inline const struct tcphdr *tcp_header(struct __sk_buff *skb)
{
	return bytes_at(skb, IP_OFFSET + sizeof(struct iphdr), sizeof(struct tcphdr));
}

/* What a segment takes of the sequence numbers (RFC 9293, 3.4). `length`: of the IP packet behind its header. */
static __always_inline __u32 sequence_length(const struct tcphdr *tcp, __u8 tcp_flags, __u32 length)
{
	return length - 4 * (((const __u8 *)tcp)[12] >> 4) + !!(tcp_flags & TCP_SYN) + !!(tcp_flags & TCP_FIN);
}

/* @param length bytes of the IP packet behind its header */
static __always_inline enum parse_result parse_ports(struct packet *packet, __u32 length)
{
	struct __sk_buff *skb = packet->skb;
	const struct tcphdr *in_place = tcp_header(skb);
	struct tcphdr tcp; /* its first bytes serve UDP and ICMP as well */

	switch (packet->tuple.protocol) {
	case IPPROTO_TCP:
		if (in_place && packet->l4_offset == IP_OFFSET + sizeof(struct iphdr))
			tcp = *in_place;
		else if (bpf_skb_load_bytes(skb, packet->l4_offset, &tcp, sizeof(tcp)))
			return PARSE_MALFORMED;
		packet->tuple.source_port = tcp.source;
		packet->tuple.destination_port = tcp.dest;
		packet->tcp_flags = ((__u8 *)&tcp)[13];
		packet->sequence = tcp.seq;
		packet->next = bpf_ntohl(tcp.seq) + sequence_length(&tcp, packet->tcp_flags, length);
		return PARSE_OK;
	case IPPROTO_UDP:
		if (bpf_skb_load_bytes(skb, packet->l4_offset, &tcp, sizeof(struct udphdr)))
			return PARSE_MALFORMED;
		packet->tuple.source_port = tcp.source;
		packet->tuple.destination_port = tcp.dest;
		return PARSE_OK;
	case IPPROTO_ICMP: {
		struct icmp_header icmp;

		if (bpf_skb_load_bytes(skb, packet->l4_offset, &icmp, sizeof(icmp)))
			return PARSE_MALFORMED;
		if (echo_ports(&packet->tuple, icmp.type, icmp.identifier))
			return PARSE_OK;
		switch (icmp.type) {
		case ICMP_UNREACHABLE:
		case ICMP_TIME_EXCEEDED:
		case ICMP_PARAMETER_PROBLEM:
			return PARSE_ICMP_ERROR;
		default:
			return PARSE_UNTRACKED;
		}
	}
	default:
		return PARSE_UNTRACKED;
	}
}

/* Fills `packet` from `skb`. On PARSE_UNTRACKED, PARSE_ICMP_ERROR and PARSE_FRAGMENT the addresses and the protocol are valid, the ports zero. */
static __noinline enum parse_result read_packet(struct __sk_buff *skb, struct packet *packet)
{
	const struct iphdr *in_place = ip_header(skb);
	struct iphdr ip;
	__u16 fragment;
	enum parse_result result;

	if (!packet)
		return PARSE_MALFORMED;
	__builtin_memset(packet, 0, sizeof(*packet));
	packet->skb = skb;
	if (skb->protocol == bpf_htons(ETH_P_IPV6))
		return PARSE_IPV6;
	if (skb->protocol != bpf_htons(ETH_P_IP))
		return PARSE_NOT_IP;
	if (in_place)
		ip = *in_place;
	else if (bpf_skb_load_bytes(skb, IP_OFFSET, &ip, sizeof(ip)))
		return PARSE_MALFORMED;
	if (ip.version != 4 || ip.ihl < 5)
		return PARSE_MALFORMED;
	packet->tuple.source = address_from_ipv4(ip.saddr);
	packet->tuple.destination = address_from_ipv4(ip.daddr);
	packet->tuple.protocol = ip.protocol;
	packet->l4_offset = IP_OFFSET + ip.ihl * 4;
	fragment = bpf_ntohs(ip.frag_off);
	if (fragment & IP_FRAGMENT_OFFSET)
		return parse_later_fragment(packet, ip.id);
	packet->l4_present = true;
	result = parse_ports(packet, bpf_ntohs(ip.tot_len) - ip.ihl * 4);
	if (result == PARSE_OK && (fragment & IP_MORE_FRAGMENTS))
		remember_first_fragment(packet, ip.id);
	return result;
}

/* The same for what `wrapped_by` wrapped, NULL: nobody. Here a trace recognises its packets. */
static __always_inline enum parse_result parse_from(struct __sk_buff *skb, struct packet *packet, enum hook hook,
						    const struct address *wrapped_by)
{
	enum parse_result result = read_packet(skb, packet);

	trace_arrived(skb, &packet->tuple, packet->tcp_flags, hook, wrapped_by);
	return result;
}

/* At the beginning of a program. */
static __always_inline enum parse_result parse(struct __sk_buff *skb, struct packet *packet, enum hook hook)
{
	return parse_from(skb, packet, hook, NULL);
}
