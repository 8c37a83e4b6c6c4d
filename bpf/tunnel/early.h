/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../net/early.h"
#include "vxlan.h"

/* Wraps a packet in VXLAN in the card's driver, with the same headers as wrap_in_vxlan(). */

/* The length of the packet on the link once it is wrapped, without Ethernet. */
static __always_inline __u32 early_wrapped_length(struct xdp_md *ctx)
{
	return early_length(ctx) - ETH_HLEN + sizeof(struct outer_headers);
}

/* The fields that the outer headers take from the packet inside. */
struct carried {
	__u32 length; /* of the packet with its outer headers, without Ethernet */
	__be16 type;
	__u8 ecn;
	bool is_whole;
};

/* Takes a hop from the packet inside. @return whether its bytes are there */
static __always_inline bool read_carried(void *inner, const void *end, struct carried *carried)
{
	struct ipv6hdr *ipv6 = inner;
	struct iphdr *ip = inner;

	if (!IS_THERE(ip, sizeof(*ip), end))
		return false;
	carried->ecn = ecn_of(ip);
	if (carried->type == bpf_htons(ETH_P_IP)) {
		carried->is_whole = ip->frag_off & bpf_htons(IP_DONT_FRAGMENT);
		take_hop(ip);
		return true;
	}
	if (!IS_THERE(ipv6, sizeof(*ipv6), end))
		return false;
	carried->is_whole = carried->length - sizeof(struct outer_headers) > IPV6_LEAST_MTU;
	ipv6->hop_limit--;
	return true;
}

/* @return XDP_TX; XDP_PASS: nothing was touched */
static __always_inline int wrap_early(struct xdp_md *ctx, const struct tuple *tuple, const struct settings *settings,
				      const struct wrapping *wrapping, const struct next_hop *hop)
{
	struct carried carried = {.length = early_wrapped_length(ctx)};
	struct wrapped_frame *frame;
	const void *end;

	if (bpf_xdp_adjust_head(ctx, -(int)sizeof(struct outer_headers)))
		return XDP_PASS;
	frame = early_start(ctx);
	end = early_end(ctx);
	if (!IS_THERE(frame, sizeof(*frame), end))
		return XDP_DROP;
	carried.type = frame->outer.inner.h_proto; /* the frame's own Ethernet header, where it was */
	if (!read_carried(frame + 1, end, &carried))
		return XDP_DROP;
	write_wrapped(frame, tuple, settings, wrapping, hop, carried.length, carried.type, carried.ecn, carried.is_whole);
	return XDP_TX;
}
