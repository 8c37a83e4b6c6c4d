/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../maps/state.h"
#include "icmp.h"
#include <linux/tcp.h>
#include <linux/udp.h>

enum parse_result {
	PARSE_OK,
	PARSE_NOT_IP,	   /* for example ARP: left to the kernel */
	PARSE_IPV6,	   /* not handled for workloads yet */
	PARSE_UNTRACKED,   /* IPv4 without ports we know (SCTP, GRE): addresses are set */
	PARSE_ICMP_ERROR,  /* about another packet, whose headers it carries: see decide/error.h */
	PARSE_MALFORMED,
	PARSE_FRAGMENT,	   /* a later fragment whose first was not seen */
};

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

/* The TCP header behind an IP header without options, where it lies in one piece; else NULL. */
static __always_inline const struct tcphdr *tcp_header(struct __sk_buff *skb)
{
	return bytes_at(skb, IP_OFFSET + sizeof(struct iphdr), sizeof(struct tcphdr));
}

/* How many sequence numbers a segment takes (RFC 9293, 3.4). `length`: of the IP packet behind its header. */
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
		return is_icmp_error(icmp.type) ? PARSE_ICMP_ERROR : PARSE_UNTRACKED;
	}
	default:
		return PARSE_UNTRACKED;
	}
}

/* Fills `packet`, which is zero except for its skb. After PARSE_UNTRACKED, PARSE_ICMP_ERROR and PARSE_FRAGMENT the addresses and the
 * protocol are valid and the ports are zero. */
static __noinline enum parse_result parse(struct packet *packet, enum hook hook)
{
	struct __sk_buff *skb = packet->skb;
	const struct iphdr *in_place = ip_header(skb);
	struct iphdr ip;
	__u16 fragment;
	enum parse_result result;

	packet->hook = hook;
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
