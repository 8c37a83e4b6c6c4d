/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../connection/next_hop.h"
#include "../locate.h"
#include "../net/hash.h"
#include "../net/become_error.h"
#include "../net/ipv4.h"
#include "../net/ipv6.h"
#include "outer.h"
#include "vxlan_header.h"
#include <linux/pkt_cls.h>
#include <linux/udp.h>

/* VXLAN (RFC 7348) over IPv4, around packets of both families. Its headers are written and read by the programs: no tunnel device, no
 * UDP socket, no second pass through a receive queue. Packets that need more (too large for the link, an unknown neighbour, fragments,
 * nodes that have IPv6 alone) go through the kernel's device (device.h). The packets on the wire are the same. */

#define LEAST_SOURCE_PORT 49152 /* RFC 7348, 5: the dynamic range, by a hash of the inner flow */

struct outer_headers {
	struct iphdr ip;
	struct udphdr udp;
	struct vxlan_header vxlan;
	struct ethhdr inner;
} __attribute__((packed, aligned(2)));

struct wrapped_frame {
	struct ethhdr ethernet;
	struct outer_headers outer;
} __attribute__((packed, aligned(2)));

/* The packet's first bytes as a wrapped frame; NULL: fewer bytes are in one piece. */
static __always_inline struct wrapped_frame *wrapped_frame(struct __sk_buff *skb)
{
	return bytes_at(skb, 0, sizeof(struct wrapped_frame));
}

/* The source port of a flow's wrapped packets, in the dynamic range (RFC 7348, 5). If no network card or socket has left a hash, the
 * kernel's own hash parses the packet again, which costs as much as three lookups. */
static __always_inline __be16 outer_source_port(const struct tuple *inner)
{
	const __u32 *source = inner->source.word, *destination = inner->destination.word;
	__u32 hash = (source[0] ^ source[1] ^ source[2] ^ source[3]) * 0x9e3779b1;

	hash = (hash ^ destination[0] ^ destination[1] ^ destination[2] ^ destination[3]) * 0xc2b2ae3d;
	hash ^= (__u32)inner->source_port << 16 ^ inner->destination_port;
	/* Every bit of the ports, which are in network order, has to affect the low bits of the hash, and the low bits of the hash its
	 * high ones. */
	return bpf_htons(LEAST_SOURCE_PORT | (hash_end(hash) & 0x3fff));
}

static __always_inline void write_outer(struct outer_headers *outer, const struct settings *settings,
					const struct wrapping *wrapping)
{
	__u32 group = group_of(wrapping);

	__builtin_memset(outer, 0, sizeof(*outer));
	outer->ip.version = 4;
	outer->ip.ihl = 5;
	outer->ip.ttl = 64;
	outer->ip.protocol = IPPROTO_UDP;
	outer->ip.id = outer_identification();
	outer->ip.saddr = address_to_ipv4(&settings->node);
	outer->ip.daddr = address_to_ipv4(&wrapping->node);
	outer->udp.dest = bpf_htons(VXLAN_PORT);
	outer->vxlan.flags_and_group = bpf_htonl(VXLAN_HAS_VNI | (group ? VXLAN_HAS_GROUP | group : 0));
	outer->vxlan.vni = bpf_htonl(vni_of(wrapping) << VXLAN_SHIFT);
	/* Locally administered: the inner frame's hardware addresses mean nothing here, but none may be zero. */
	outer->inner.h_dest[0] = outer->inner.h_source[0] = 0x02;
}

/* @param length of the packet with its outer headers, without Ethernet. @param is_whole its sender will be told if it does not fit */
static __always_inline void write_wrapped(struct wrapped_frame *frame, const struct tuple *tuple, const struct settings *settings,
					  const struct wrapping *wrapping, const struct next_hop *hop, __u32 length, __be16 type,
					  __u8 ecn, bool is_whole)
{
	*(struct macs *)&frame->ethernet = *next_hop_macs(hop);
	frame->ethernet.h_proto = bpf_htons(ETH_P_IP);
	write_outer(&frame->outer, settings, wrapping);
	frame->outer.inner.h_proto = type;
	frame->outer.ip.tos = outer_ecn(ecn);
	if (is_whole)
		frame->outer.ip.frag_off = bpf_htons(IP_DONT_FRAGMENT);
	frame->outer.ip.tot_len = bpf_htons(length);
	frame->outer.ip.check = ip_checksum(&frame->outer);
	frame->outer.udp.source = outer_source_port(tuple);
	frame->outer.udp.len = bpf_htons(length - sizeof(struct iphdr));
}

/* Writes the outer headers; the packet's whole length fits (is_wrappable). @param tuple the packet's. @return 0; TC_ACT_SHOT: the packet is lost; -1: nothing was touched */
static __always_inline int wrap_in_vxlan(struct __sk_buff *skb, const struct tuple *tuple, const struct settings *settings,
				const struct wrapping *wrapping, const struct next_hop *hop)
{
	__u32 length = skb->len - ETH_HLEN + sizeof(struct outer_headers);
	__u64 flags = BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_ENCAP_L4_UDP | BPF_F_ADJ_ROOM_ENCAP_L2(ETH_HLEN) |
		      BPF_F_ADJ_ROOM_ENCAP_L2_ETH;
	const struct iphdr *ip = ip_header(skb);
	struct wrapped_frame *frame;
	__be16 type = skb->protocol;
	bool is_whole;
	__u8 ecn;

	if (!ip)
		return -1;
	ecn = ecn_of(ip);
	is_whole = must_be_told(skb);
	/* A client does not leave room for our headers, so its segments become smaller. Workloads' interfaces leave room. */
	if (wrapping->kind == TUNNEL_OVERLAY)
		flags |= BPF_F_ADJ_ROOM_FIXED_GSO;
	if (bpf_skb_adjust_room(skb, sizeof(struct outer_headers), BPF_ADJ_ROOM_MAC, flags))
		return -1;
	frame = wrapped_frame(skb);
	if (!frame)
		return TC_ACT_SHOT;
	write_wrapped(frame, tuple, settings, wrapping, hop, length, type, ecn, is_whole);
	return 0;
}

/* Datagrams that one call sent (UDP_SEGMENT) and that the kernel still carries as one packet. If a program took the headers off, the
 * packet would still be marked as wrapped and no socket would accept it: only the kernel's device can clear that mark. */
static __always_inline bool is_wrapped_train(struct __sk_buff *skb, bool is_inner_ipv6)
{
	__u32 field = is_inner_ipv6 ? offsetof(struct ipv6hdr, nexthdr) : offsetof(struct iphdr, protocol);
	__u8 protocol;

	if (!skb->gso_size)
		return false;
	return bpf_skb_load_bytes(skb, sizeof(struct wrapped_frame) + field, &protocol, sizeof(protocol)) ||
	       (is_inner_ipv6 ? protocol != IPPROTO_TCP : protocol != IPPROTO_TCP);
}

/* Whether a packet that one of our nodes wrapped can be unwrapped here. */
static __always_inline bool may_unwrap(const struct packet *packet, const struct outer_headers *outer,
				       const struct wrapping *wrapping)
{
	bool is_inner_ipv6 = outer->inner.h_proto == bpf_htons(ETH_P_IPV6);

	if (outer->ip.ihl != 5 || (outer->ip.frag_off & bpf_htons(IP_NOT_WHOLE)) || outer->udp.check)
		return false;
	if ((outer->ip.tos & IP_ECN_MASK) == IP_ECN_CONGESTED) /* the inner header must get it */
		return false;
	if (!(outer->vxlan.flags_and_group & bpf_htonl(VXLAN_HAS_VNI)) ||
	    (outer->inner.h_proto != bpf_htons(ETH_P_IP) && !is_inner_ipv6))
		return false;
	if (wrapping->kind == TUNNEL_RETURN && ((wrapping->backend & RETURN_LARGE) || packet->skb->gso_size))
		return false;
	return !is_wrapped_train(packet->skb, is_inner_ipv6);
}

/* Tells the kernel that the packet is now an IPv6 packet. Needs Linux 6.3; an older kernel refuses and changes nothing. */
#define ADJ_ROOM_DECAP_L3_IPV6 (1ULL << 8) /* BPF_F_ADJ_ROOM_DECAP_L3_IPV6 */

static __always_inline bool take_off(struct __sk_buff *skb, __u64 flags)
{
	return !bpf_skb_adjust_room(skb, -(__s32)sizeof(struct outer_headers), BPF_ADJ_ROOM_MAC, flags);
}

static __always_inline bool unwrap_ipv6(struct __sk_buff *skb)
{
	struct ethhdr *ethernet;

	if (!take_off(skb, BPF_F_ADJ_ROOM_FIXED_GSO | ADJ_ROOM_DECAP_L3_IPV6))
		return false;
	ethernet = bytes_at(skb, 0, sizeof(*ethernet));
	if (ethernet)
		ethernet->h_proto = bpf_htons(ETH_P_IPV6);
	return true;
}

/* Takes the outer headers off. @return false: nothing was touched, and the packet goes to the kernel */
static __always_inline bool unwrap_vxlan(struct packet *packet, struct wrapping *wrapping)
{
	struct __sk_buff *skb = packet->skb;
	const struct wrapped_frame *frame = is_ipv6(skb) ? NULL : wrapped_frame(skb);
	__u32 group = 0;

	if (!frame)
		return false;
	if (frame->outer.vxlan.flags_and_group & bpf_htonl(VXLAN_HAS_GROUP))
		group = bpf_ntohl(frame->outer.vxlan.flags_and_group) & 0xffff;
	*wrapping = wrapping_in(&packet->tuple.source, bpf_ntohl(frame->outer.vxlan.vni) >> VXLAN_SHIFT, group);
	if (!may_unwrap(packet, &frame->outer, wrapping))
		return false;
	return frame->outer.inner.h_proto == bpf_htons(ETH_P_IPV6) ? unwrap_ipv6(skb) : take_off(skb, BPF_F_ADJ_ROOM_FIXED_GSO);
}
