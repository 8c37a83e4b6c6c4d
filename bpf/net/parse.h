/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../maps/state.h"
#include "../scratch.h"
#include "discovery.h"
#include "sctp.h"
#include <linux/tcp.h>
#include <linux/udp.h>

enum parse_result {
	PARSE_OK,
	PARSE_NOT_IP,	   /* for example ARP: left to the kernel */
	PARSE_DISCOVERY,   /* IPv6: neighbour or listener discovery, well-formed: see net/discovery.h */
	PARSE_ROUTER,	   /* the same, a message that only routers send */
	PARSE_SCOPED,	   /* IPv6 from or to a link-local address: addresses are set */
	PARSE_UNTRACKED,   /* IP without ports we know (GRE, ESP, IPv6 routing headers, other ICMP than queries and answers): addresses are set */
	PARSE_ICMP_ERROR,  /* about another packet, whose headers it carries: see decide/error.h */
	PARSE_MALFORMED,
	PARSE_FRAGMENT,	   /* a later fragment whose first was not seen, or was dropped */
};

/* @param protocol IPv4's; of IPv6 each fragment has its own: 0 */
static __always_inline struct fragment_key fragment_key_of(const struct packet *packet, __be32 identification, __u8 protocol)
{
	return (struct fragment_key){
		.source = packet->tuple.source,
		.destination = packet->tuple.destination,
		.identification = identification,
		.protocol = protocol,
	};
}

static __always_inline enum parse_result parse_later_fragment(struct packet *packet, __be32 identification, __u8 protocol)
{
	struct fragment_key key = fragment_key_of(packet, identification, protocol);
	const struct fragment_ports *ports = bpf_map_lookup_elem(&fragments, &key);

	if (!ports)
		return PARSE_FRAGMENT;
	packet->tuple.source_port = ports->source_port;
	packet->tuple.destination_port = ports->destination_port;
	packet->tuple.protocol = ports->protocol;
	packet->is_answer = !has_ports(&packet->tuple);
	return PARSE_OK;
}

/* Its ports are kept when the packet was let through (first_fragment.h). */
static __always_inline void draft_first_fragment(const struct packet *packet, __be32 identification, __u8 protocol)
{
	struct scratch *scratch = scratch_get();

	if (!scratch)
		return;
	scratch->datagram = fragment_key_of(packet, identification, protocol);
	scratch->ports = (struct fragment_ports){
		.source_port = packet->tuple.source_port,
		.destination_port = packet->tuple.destination_port,
		.protocol = packet->tuple.protocol,
	};
	scratch->plan.is_first_fragment = true;
}

/* How many sequence numbers a segment takes (RFC 9293, 3.4). `length`: of the IP packet behind its header. */
static __always_inline __u32 sequence_length(const struct tcphdr *tcp, __u8 tcp_flags, __u32 length)
{
	return length - 4 * (((const __u8 *)tcp)[12] >> 4) + !!(tcp_flags & TCP_SYN) + !!(tcp_flags & TCP_FIN);
}

static __always_inline enum parse_result parse_icmp(struct __sk_buff *skb, struct packet *packet)
{
	struct icmp_header icmp;
	enum icmp_role role;

	if (bpf_skb_load_bytes(skb, packet->l4_offset, &icmp, sizeof(icmp)))
		return PARSE_MALFORMED;
	role = icmp_ports(&packet->tuple, icmp.type, icmp.code, icmp.identifier);
	packet->is_answer = role == ICMP_ANSWER;
	if (role != ICMP_ALONE)
		return PARSE_OK;
	if (is_icmp_error(packet->tuple.protocol, icmp.type))
		return PARSE_ICMP_ERROR;
	if (packet->tuple.protocol == IPPROTO_ICMPV6 && (is_neighbour_discovery(icmp.type) || is_listener_discovery(icmp.type)))
		return is_of_router(icmp.type) ? PARSE_ROUTER : PARSE_DISCOVERY;
	return PARSE_UNTRACKED;
}

/* @param length bytes of the IP packet behind its headers
 * @param usual where the transport's header is in most packets: read without a copy there. A constant
 * @param icmp the family's own */
static __always_inline enum parse_result parse_ports(struct __sk_buff *skb, struct packet *packet, __u32 length, __u32 usual, __u8 icmp)
{
	const struct tcphdr *in_place = bytes_at(skb, usual, sizeof(struct tcphdr));
	struct tcphdr tcp; /* its first bytes serve UDP and ICMP as well */

	switch (packet->tuple.protocol) {
	case IPPROTO_TCP:
		if (in_place && packet->l4_offset == usual)
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
		if (in_place && packet->l4_offset == usual)
			tcp = *in_place;
		else if (bpf_skb_load_bytes(skb, packet->l4_offset, &tcp, sizeof(struct udphdr)))
			return PARSE_MALFORMED;
		packet->tuple.source_port = tcp.source;
		packet->tuple.destination_port = tcp.dest;
		return PARSE_OK;
	case IPPROTO_SCTP:
		return parse_sctp(skb, packet) ? PARSE_MALFORMED : PARSE_OK;
	default:
		return packet->tuple.protocol == icmp ? parse_icmp(skb, packet) : PARSE_UNTRACKED;
	}
}

/* How far an IPv6 packet's addresses are valid. A packet from the wire must not carry an address that is a key of our maps: such a
 * packet is malformed. The unspecified address is the source of a host that has no address yet, or that listens to a group. */
static __always_inline enum parse_result in_scope(const struct tuple *tuple, enum parse_result result)
{
	if (is_reserved_for_keys(&tuple->destination) ||
	    (is_reserved_for_keys(&tuple->source) && (result != PARSE_DISCOVERY || !address_is_unset(&tuple->source))))
		return PARSE_MALFORMED;
	if (result == PARSE_DISCOVERY || result == PARSE_ROUTER || result == PARSE_MALFORMED)
		return result;
	return is_link_local(&tuple->source) || is_link_local(&tuple->destination) ? PARSE_SCOPED : result;
}

/* Discovery must come from this link, in one piece (RFC 4861, 6.1 and 7.1; RFC 6980; RFC 2710, 3; RFC 3810, 5). */
static __always_inline bool is_from_this_link(const struct ipv6_chain *chain, __u8 hop_limit)
{
	if (chain->has_fragment_header)
		return false;
	return hop_limit == ND_HOP_LIMIT || (hop_limit == MLD_HOP_LIMIT && chain->has_options);
}

/* After PARSE_UNTRACKED, PARSE_ICMP_ERROR, PARSE_FRAGMENT, PARSE_SCOPED, PARSE_DISCOVERY and PARSE_ROUTER the addresses are valid,
 * and the protocol is that of the first header which is no extension. */
__global enum parse_result parse_ipv6(struct __sk_buff *skb, struct packet *packet, enum hook hook)
{
	struct ipv6_chain chain = {.offset = IPV6_END};
	const struct ipv6hdr *ip = bytes_at(skb, ETH_HLEN, sizeof(*ip));
	enum parse_result result;
	__u8 hop_limit;
	__u32 end;

	if (!packet)
		return PARSE_MALFORMED;
	packet->hook = hook;
	if (!ip && !bpf_skb_pull_data(skb, IPV6_END))
		ip = bytes_at(skb, ETH_HLEN, sizeof(*ip));
	if (!ip || ip->version != 6)
		return PARSE_MALFORMED;
	__builtin_memcpy(&packet->tuple.source, &ip->saddr, 2 * sizeof(struct address));
	end = ip->payload_len ? IPV6_END + bpf_ntohs(ip->payload_len) : skb->len; /* a jumbogram's is elsewhere (RFC 2675) */
	hop_limit = ip->hop_limit;
	chain.protocol = ip->nexthdr;
	if (chain.protocol != IPPROTO_TCP && chain.protocol != IPPROTO_UDP && walk_extensions(skb, &chain))
		return PARSE_MALFORMED;
	packet->tuple.protocol = chain.protocol;
	packet->l4_offset = chain.offset;
	if (chain.fragment & IPV6_FRAGMENT_OFFSET)
		return in_scope(&packet->tuple, parse_later_fragment(packet, chain.identification, 0));
	packet->l4_present = true;
	result = parse_ports(skb, packet, end - chain.offset, IPV6_END, IPPROTO_ICMPV6);
	if (result == PARSE_OK && (chain.fragment & IPV6_MORE_FRAGMENTS))
		draft_first_fragment(packet, chain.identification, 0);
	if ((result == PARSE_DISCOVERY || result == PARSE_ROUTER) && !is_from_this_link(&chain, hop_limit))
		return PARSE_MALFORMED;
	return in_scope(&packet->tuple, result);
}

/* After PARSE_UNTRACKED, PARSE_ICMP_ERROR and PARSE_FRAGMENT the addresses and the protocol are valid and the ports are zero; of ICMP that
 * was read the destination's is its type and code. */
__global enum parse_result parse_ipv4(struct __sk_buff *skb, struct packet *packet, enum hook hook)
{
	const struct iphdr *in_place = ip_header(skb);
	struct iphdr ip;
	__u16 fragment;
	enum parse_result result;

	if (!packet)
		return PARSE_MALFORMED;
	packet->hook = hook;
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
		return parse_later_fragment(packet, ip.id, ip.protocol);
	packet->l4_present = true;
	result = parse_ports(skb, packet, bpf_ntohs(ip.tot_len) - ip.ihl * 4, IP_OFFSET + sizeof(struct iphdr), IPPROTO_ICMP);
	if (result == PARSE_OK && (fragment & IP_MORE_FRAGMENTS))
		draft_first_fragment(packet, ip.id, ip.protocol);
	return result;
}

/* Whether the packet is the first or a later one of several fragments. The header is read again, because few packets need this: a field
 * in `packet` would double what the verifier walks. */
__global int is_fragment(struct __sk_buff *skb)
{
	struct ipv6_chain chain = {.offset = IPV6_END};
	__be16 fragment = 0;

	if (!skb)
		return false;
	if (!is_ipv6(skb)) {
		bpf_skb_load_bytes(skb, IP_OFFSET + offsetof(struct iphdr, frag_off), &fragment, sizeof(fragment));
		return (fragment & bpf_htons(IP_FRAGMENT_OFFSET | IP_MORE_FRAGMENTS)) != 0;
	}
	bpf_skb_load_bytes(skb, ETH_HLEN + offsetof(struct ipv6hdr, nexthdr), &chain.protocol, sizeof(chain.protocol));
	return !walk_extensions(skb, &chain) && chain.fragment;
}

/* Fills `packet`, which is zero except for its skb. The readers are global functions: the verifier knows nothing of their results, and
 * walks the code after them once instead of once for each kind of packet. */
static __always_inline enum parse_result parse(struct packet *packet, enum hook hook)
{
	struct __sk_buff *skb = packet->skb;
	enum parse_result result = PARSE_NOT_IP;

	if (is_ipv6(skb))
		result = parse_ipv6(skb, packet, hook);
	else if (skb->protocol == bpf_htons(ETH_P_IP))
		result = parse_ipv4(skb, packet, hook);
	else
		return result;
	restore_pointers(packet, skb, NULL);
	return result;
}
