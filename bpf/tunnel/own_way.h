/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../plan.h"
#include "../scratch.h"
#include "../shared/settings.h"
#include <linux/pkt_cls.h>

/* The way of the node's own SCTP through the tunnel's device (decide/own_request.h): from the stack into these programs, and of answers from these to the
 * stack. Both come in by the device, which from_tunnel sees. */

/* From the stack: from_tunnel counts it. @return the action */
static __always_inline int send_own_request(struct __sk_buff *skb, const struct settings *settings)
{
	skb->mark = MARK_OWN_REQUEST;
	return bpf_redirect(settings->tunnel_ifindex, BPF_F_INGRESS);
}

/* To the stack. @return the action */
static __always_inline int send_own_answer(struct __sk_buff *skb, const struct settings *settings)
{
	if (!settings)
		return TC_ACT_SHOT;
	skb->mark = MARK_OWN_ANSWER;
	return bpf_redirect(settings->tunnel_ifindex, BPF_F_INGRESS);
}

/* Whatever hardware address it has. @return the action */
static __always_inline int give_own_answer(struct __sk_buff *skb)
{
	skb->mark = 0;
	bpf_skb_change_type(skb, 0 /* PACKET_HOST */);
	return TC_ACT_OK;
}

/* Whether a packet that comes in by the tunnel's device was sent there by one of these programs. What another node wrapped has its headers beside it,
 * whatever mark it has. */
static __always_inline bool is_from_own_programs(struct __sk_buff *skb, __u32 mark)
{
	struct scratch *scratch = scratch_get();

	return skb->mark == mark && scratch && bpf_skb_get_tunnel_key(skb, &scratch->key, sizeof(scratch->key), 0) &&
	       bpf_skb_get_tunnel_key(skb, &scratch->key, sizeof(scratch->key), BPF_F_TUNINFO_IPV6);
}
