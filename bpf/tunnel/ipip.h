/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../connection/next_hop.h"
#include "outer.h"
#include "wrapping.h"
#include <linux/pkt_cls.h>

/* IPIP (RFC 2003), IPv4 in IPv4: for packets between workloads, and from workloads to nodes. The programs write and read its header; no
 * device is needed. The header names the two nodes and nothing else. So packets that an entry node forwards, and their replies, are in
 * VXLAN. So are packets that the kernel's device has to fragment or to find a neighbour for (device.h): a node accepts both. */

struct ipip_frame {
	struct ethhdr ethernet;
	struct iphdr outer;
	struct iphdr inner;
} __attribute__((packed, aligned(2)));

static __always_inline bool is_ipip(const struct tuple *tuple)
{
	return tuple->protocol == IPPROTO_IPIP && is_ipv4(&tuple->source);
}

static __always_inline struct ipip_frame *ipip_frame(struct __sk_buff *skb)
{
	return bytes_at(skb, 0, sizeof(struct ipip_frame));
}

/* Writes the outer header. The packet must never be fragmented, because without a device no receiver can reassemble an IPIP packet: a
 * router says what fits, and the sender of the packet inside is told (decide/quoted.h). @return 0; TC_ACT_SHOT: the packet is lost; -1:
 * nothing was touched */
static __noinline int wrap_in_ipip(struct __sk_buff *skb, const struct settings *settings, const struct wrapping *wrapping,
				   const struct next_hop *hop)
{
	struct ipip_frame *frame;
	const struct iphdr *ip;
	__u32 length;
	__u8 ecn;

	if (!settings || !wrapping || !hop)
		return -1;
	ip = ip_header(skb);
	if (!ip || is_ipv6(skb))
		return -1;
	length = skb->len - ETH_HLEN + sizeof(struct iphdr);
	ecn = ecn_of(ip);
	if (bpf_skb_adjust_room(skb, sizeof(struct iphdr), BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_FIXED_GSO))
		return -1;
	frame = ipip_frame(skb);
	if (!frame)
		return TC_ACT_SHOT;
	*(struct macs *)&frame->ethernet = *next_hop_macs(hop);
	frame->ethernet.h_proto = bpf_htons(ETH_P_IP);
	frame->outer = (struct iphdr){
		.version = 4,
		.ihl = 5,
		.tos = outer_ecn(ecn),
		.tot_len = bpf_htons(length),
		.id = outer_identification(),
		.frag_off = bpf_htons(IP_DONT_FRAGMENT),
		.ttl = 64,
		.protocol = IPPROTO_IPIP,
		.saddr = address_to_ipv4(&settings->node),
		.daddr = address_to_ipv4(&wrapping->node),
	};
	frame->outer.check = ip_checksum(&frame->outer);
	return 0;
}

/* Whether the packet is as one of our nodes writes it: whole, without options, around an IPv4 header. Congestion is only for senders
 * that support it (RFC 6040, 4.2). */
static __always_inline bool is_readable_ipip(const struct ipip_frame *frame, bool is_congested)
{
	return frame->outer.ihl == 5 && !(frame->outer.frag_off & bpf_htons(IP_NOT_WHOLE)) &&
	       bpf_ntohs(frame->outer.tot_len) >= 2 * sizeof(struct iphdr) && frame->inner.version == 4 &&
	       (!is_congested || (frame->inner.tos & IP_ECN_MASK));
}

/* Copies the outer header's mark of congestion to the header inside. @return false: the packet is lost */
static __always_inline bool mark_congested(struct __sk_buff *skb)
{
	struct iphdr *ip = ip_header(skb);
	__be32 before, after;

	if (!ip)
		return false;
	__builtin_memcpy(&before, ip, sizeof(before));
	ip->tos |= IP_ECN_CONGESTED;
	__builtin_memcpy(&after, ip, sizeof(after));
	ip->check = ip_checksum_changed(ip->check, before, after);
	return true;
}

/* Takes the outer header off. @return false: the packet can only be dropped */
static __always_inline bool unwrap_ipip(struct packet *packet, struct wrapping *wrapping)
{
	struct __sk_buff *skb = packet->skb;
	const struct ipip_frame *frame = ipip_frame(skb);
	bool is_congested;

	if (!frame && !bpf_skb_pull_data(skb, sizeof(*frame)))
		frame = ipip_frame(skb);
	if (!frame)
		return false;
	is_congested = (frame->outer.tos & IP_ECN_MASK) == IP_ECN_CONGESTED;
	if (!is_readable_ipip(frame, is_congested))
		return false;
	*wrapping = (struct wrapping){
		.node = packet->tuple.source,
		.kind = TUNNEL_OVERLAY,
		.encapsulation = ENCAPSULATION_IPIP,
	};
	if (bpf_skb_adjust_room(skb, -(__s32)sizeof(struct iphdr), BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_FIXED_GSO))
		return false;
	return !is_congested || mark_congested(skb);
}
