/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../locate.h"
#include "../connection/next_hop.h"
#include "wrapping.h"

/* VXLAN (RFC 7348) written and read by hand, on the way of the packet: no tunnel device, no UDP socket, no second pass
 * through a receive queue. What needs more than that (too large for the link, a neighbour nobody knows yet, fragments)
 * goes through the kernel's device: the packets on the wire are the same. */

#define VXLAN_HAS_VNI 0x08000000   /* flag I */
#define VXLAN_HAS_GROUP 0x80000000 /* flag G, draft-smith-vxlan-group-policy */
#define VXLAN_SHIFT 8
#define IP_ECN_MASK 0x03
#define IP_ECN_CONGESTED 0x03
#define IP_ECN_CAPABLE 0x02
#define IP_NOT_WHOLE 0x3fff /* more fragments, or an offset */
#define LEAST_SOURCE_PORT 49152 /* RFC 7348, 5: the dynamic range, by a hash of the inner flow */

struct vxlan_header {
	__be32 flags_and_group;
	__be32 vni;
};

struct outer_headers {
	struct iphdr ip;
	struct udphdr udp;
	struct vxlan_header vxlan;
	struct ethhdr inner;
} __attribute__((packed, aligned(2)));

/* RFC 1071, over a header without options. */
static __always_inline __be16 ip_checksum(const struct outer_headers *outer)
{
	__u16 half[sizeof(struct iphdr) / sizeof(__u16)];
	__u32 sum = 0;

	__builtin_memcpy(half, outer, sizeof(half));
#pragma unroll
	for (__u32 i = 0; i < sizeof(half) / sizeof(*half); i++)
		sum += half[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* RFC 6040, normal mode, as the kernel's tunnels: congestion is not copied out, the capability is. */
static __always_inline __u8 outer_ecn(__u8 inner)
{
	return (inner & IP_ECN_MASK) == IP_ECN_CONGESTED ? IP_ECN_CAPABLE : inner & IP_ECN_MASK;
}

struct wrapped_frame {
	struct ethhdr ethernet;
	struct outer_headers outer;
} __attribute__((packed, aligned(2)));

/* The packet's first bytes as a wrapped frame; NULL: it has fewer in one piece. */
static __always_inline struct wrapped_frame *wrapped_frame(struct __sk_buff *skb)
{
	return bytes_at(skb, 0, sizeof(struct wrapped_frame));
}

static __always_inline void write_outer(struct outer_headers *outer, const struct settings *settings,
					const struct wrapping *wrapping)
{
	__u32 group = wrapping->group;

	__builtin_memset(outer, 0, sizeof(*outer));
	outer->ip.version = 4;
	outer->ip.ihl = 5;
	outer->ip.ttl = 64;
	outer->ip.protocol = IPPROTO_UDP;
	outer->ip.id = bpf_get_prandom_u32();
	outer->ip.saddr = address_to_ipv4(&settings->node);
	outer->ip.daddr = address_to_ipv4(&wrapping->node);
	outer->udp.dest = bpf_htons(VXLAN_PORT);
	outer->vxlan.flags_and_group = bpf_htonl(VXLAN_HAS_VNI | (group ? VXLAN_HAS_GROUP | group : 0));
	outer->vxlan.vni = bpf_htonl(wrapping->vni << VXLAN_SHIFT);
	/* Locally administered: the inner frame's hardware addresses mean nothing here, but none may be zero. */
	outer->inner.h_dest[0] = outer->inner.h_source[0] = 0x02;
	outer->inner.h_proto = bpf_htons(ETH_P_IP);
}

/* NULL: a packet of this length needs the kernel's device. */
static __always_inline const struct way *way_to_node(struct __sk_buff *skb, const struct settings *settings,
						     const struct address *node, __u16 length,
						     struct connection *connection)
{
	const struct connection *known = way_known(connection);
	struct bpf_fib_lookup *route;

	if (known && known->way.kind == WAY_TO_NODE && way_has_room(&known->way, skb, sizeof(struct outer_headers)))
		return &known->way;
	route = route_question(settings, &settings->node, node);
	if (!route)
		return NULL;
	if (!skb->gso_size)
		route->tot_len = length;
	if (bpf_fib_lookup(skb, route, sizeof(*route), 0) != BPF_FIB_LKUP_RET_SUCCESS)
		return NULL;
	return way_of_route(route, WAY_TO_NODE, node, connection);
}

/* Writes the outer headers and sends the packet out of the uplink. @return the action; -1: nothing was touched. */
static __always_inline int wrap(struct __sk_buff *skb, const struct settings *settings, const struct wrapping *wrapping,
				struct connection *connection)
{
	__u32 length = skb->len - ETH_HLEN + sizeof(struct outer_headers);
	__u64 flags = BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_ENCAP_L4_UDP | BPF_F_ADJ_ROOM_ENCAP_L2(ETH_HLEN) |
		      BPF_F_ADJ_ROOM_ENCAP_L2_ETH;
	const struct iphdr *ip = ip_header(skb);
	struct wrapped_frame *frame;
	const struct way *way;
	__u32 hash;
	__u8 tos;

	if (!ip || length > 0xffff)
		return -1;
	tos = ip->tos;
	way = way_to_node(skb, settings, &wrapping->node, length, connection);
	if (!way)
		return -1;
	/* A client knows nothing of our headers, so its segments become smaller; workloads' interfaces leave room. */
	if (wrapped_kind(wrapping) == TUNNEL_OVERLAY)
		flags |= BPF_F_ADJ_ROOM_FIXED_GSO;
	hash = bpf_get_hash_recalc(skb);
	if (bpf_skb_adjust_room(skb, sizeof(struct outer_headers), BPF_ADJ_ROOM_MAC, flags))
		return -1;
	frame = wrapped_frame(skb);
	if (!frame)
		return TC_ACT_SHOT;
	*(struct macs *)&frame->ethernet = *way_macs(way);
	write_outer(&frame->outer, settings, wrapping);
	frame->outer.ip.tos = outer_ecn(tos);
	frame->outer.ip.tot_len = bpf_htons(length);
	frame->outer.ip.check = ip_checksum(&frame->outer);
	frame->outer.udp.source = bpf_htons(LEAST_SOURCE_PORT | (hash & 0x3fff));
	frame->outer.udp.len = bpf_htons(length - sizeof(struct iphdr));
	skb->mark = MARK_FORWARDED;
	return bpf_redirect(way->interface, 0);
}

/* Datagrams that one call sent (UDP_SEGMENT) and the kernel still carries as one packet. Taken off by hand, it would go on
 * looking wrapped, and no socket takes it like that: only the kernel's device can say that it is no longer. */
static __always_inline bool is_wrapped_train(struct __sk_buff *skb)
{
	__u8 protocol;

	if (!skb->gso_size)
		return false;
	return bpf_skb_load_bytes(skb, sizeof(struct wrapped_frame) + offsetof(struct iphdr, protocol), &protocol,
				  sizeof(protocol)) ||
	       protocol == IPPROTO_UDP;
}

/* Whether what one of our nodes wrapped can be unwrapped here. */
static __always_inline bool may_unwrap(const struct packet *packet, const struct outer_headers *outer,
				       const struct wrapping *wrapping)
{
	if (outer->ip.ihl != 5 || (outer->ip.frag_off & bpf_htons(IP_NOT_WHOLE)) || outer->udp.check)
		return false;
	if ((outer->ip.tos & IP_ECN_MASK) == IP_ECN_CONGESTED) /* must be told to the inner one */
		return false;
	if (!(outer->vxlan.flags_and_group & bpf_htonl(VXLAN_HAS_VNI)) || outer->inner.h_proto != bpf_htons(ETH_P_IP))
		return false;
	if (wrapped_kind(wrapping) == TUNNEL_RETURN && ((wrapping->vni & VNI_RETURN_LARGE) || packet->skb->gso_size))
		return false;
	return !is_wrapped_train(packet->skb);
}

/* Whether a packet for the tunnel's port was wrapped by one of our nodes for this one. */
static __always_inline bool is_wrapped_for_us(const struct packet *packet, const struct settings *settings)
{
	return address_is_equal(&packet->tuple.destination, &settings->node) &&
	       (location_flags(locate(&packet->tuple.source)) & LOCATION_REMOTE_HOST);
}

/* Takes the outer headers off. @return false: nothing was touched, the packet is the kernel's */
static __always_inline bool unwrap(struct packet *packet, struct wrapping *wrapping)
{
	struct __sk_buff *skb = packet->skb;
	const struct wrapped_frame *frame = wrapped_frame(skb);

	if (!frame)
		return false;
	wrapping->node = packet->tuple.source;
	wrapping->vni = bpf_ntohl(frame->outer.vxlan.vni) >> VXLAN_SHIFT;
	if (frame->outer.vxlan.flags_and_group & bpf_htonl(VXLAN_HAS_GROUP))
		wrapping->group = bpf_ntohl(frame->outer.vxlan.flags_and_group) & 0xffff;
	if (!may_unwrap(packet, &frame->outer, wrapping))
		return false;
	return !bpf_skb_adjust_room(skb, -(__s32)sizeof(struct outer_headers), BPF_ADJ_ROOM_MAC,
				    BPF_F_ADJ_ROOM_FIXED_GSO);
}
