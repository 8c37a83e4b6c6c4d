/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "frame.h"
#include "parse.h"

/* A frame in the card's driver, before the kernel makes a socket buffer of it (XDP). */

/* Whether the frame's first bytes are there, in one piece with `length` more behind `at`. */
#define IS_THERE(at, length, end) ((const void *)(at) + (length) <= (const void *)(end))

static __always_inline void *early_start(struct xdp_md *ctx)
{
	return POINTER_IN(ctx, struct xdp_md, data);
}

static __always_inline const void *early_end(struct xdp_md *ctx)
{
	return POINTER_IN(ctx, struct xdp_md, data_end);
}

static __always_inline __u32 early_length(struct xdp_md *ctx)
{
	return early_end(ctx) - early_start(ctx);
}

/* @param length of the IP packet behind its header */
static __always_inline bool read_early_ports(const void *transport, const void *end, struct packet *packet, __u32 length)
{
	const struct tcphdr *tcp = transport;
	const struct udphdr *udp = transport;

	if (packet->tuple.protocol == IPPROTO_TCP) {
		if (length < sizeof(*tcp) || !IS_THERE(tcp, sizeof(*tcp), end))
			return false;
		packet->tcp_flags = ((const __u8 *)tcp)[13];
		packet->next = bpf_ntohl(tcp->seq) + sequence_length(tcp, packet->tcp_flags, length);
	} else if (packet->tuple.protocol != IPPROTO_UDP || length < sizeof(*udp) || !IS_THERE(udp, sizeof(*udp), end)) {
		return false;
	}
	packet->tuple.source_port = udp->source;
	packet->tuple.destination_port = udp->dest;
	return true;
}

/* @param length of the frame without Ethernet, which padding may follow */
static __always_inline bool read_early_ipv4(const struct iphdr *ip, const void *end, struct packet *packet, __u32 length)
{
	__u32 total;

	if (!IS_THERE(ip, sizeof(*ip), end))
		return false;
	total = bpf_ntohs(ip->tot_len);
	if (ip->version != 4 || ip->ihl != 5 || (ip->frag_off & bpf_htons(IP_NOT_WHOLE)) || ip->ttl <= 1 || total < sizeof(*ip) || total > length)
		return false;
	packet->tuple.source = address_from_ipv4(ip->saddr);
	packet->tuple.destination = address_from_ipv4(ip->daddr);
	packet->tuple.protocol = ip->protocol;
	return read_early_ports(ip + 1, end, packet, total - sizeof(*ip));
}

static __always_inline bool read_early_ipv6(const struct ipv6hdr *ip, const void *end, struct packet *packet, __u32 length)
{
	__u32 payload;

	if (!IS_THERE(ip, sizeof(*ip), end))
		return false;
	payload = bpf_ntohs(ip->payload_len);
	if (ip->version != 6 || ip->hop_limit <= 1 || sizeof(*ip) + payload > length)
		return false;
	__builtin_memcpy(&packet->tuple.source, &ip->saddr, 2 * sizeof(struct address));
	packet->tuple.protocol = ip->nexthdr;
	return in_scope(&packet->tuple, PARSE_OK) == PARSE_OK && read_early_ports(ip + 1, end, packet, payload);
}

/* Reads a whole TCP or UDP packet that has no options, extension headers or VLAN tag, and more than one hop left. It finds what
 * from_uplink would find. @param packet zero. @return false: it is another packet */
static __always_inline bool read_early(struct xdp_md *ctx, struct packet *packet)
{
	const void *start = early_start(ctx), *end = early_end(ctx);
	const struct ethhdr *ethernet = start;
	__u32 length;

	if (!IS_THERE(ethernet, sizeof(*ethernet), end))
		return false;
	length = end - start - ETH_HLEN;
	if (bpf_xdp_get_buff_len(ctx) - ETH_HLEN != length) /* in several pieces */
		return false;
	packet->hook = HOOK_FROM_UPLINK;
	packet->l4_present = true;
	if (ethernet->h_proto == bpf_htons(ETH_P_IP))
		return read_early_ipv4(start + ETH_HLEN, end, packet, length);
	return ethernet->h_proto == bpf_htons(ETH_P_IPV6) && read_early_ipv6(start + ETH_HLEN, end, packet, length);
}

/* The frame's hardware addresses. Never NULL for a frame that was read. */
static __always_inline const struct ethhdr *early_ethernet(struct xdp_md *ctx)
{
	const void *start = early_start(ctx), *end = early_end(ctx);

	return IS_THERE(start, sizeof(struct ethhdr), end) ? start : NULL;
}
