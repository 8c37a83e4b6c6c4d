/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../first_fragment.h"
#include "../plan.h"
#include "../shared/settings.h"
#include <linux/pkt_cls.h>

/* How the node's own SCTP passes the tunnel's device (decide/own_request.h): from the stack into these programs, and its answers from
 * these programs to the stack. Both arrive at the device, where from_tunnel sees them. */

/* From the stack: from_tunnel counts the packet, and may not have seen it when a later fragment comes. @return the action */
static __always_inline int send_own_request(struct __sk_buff *skb, const struct settings *settings, const struct plan *plan)
{
	if (keeps_ports(plan))
		keep_first_fragment();
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

/* For any hardware address of the packet. It keeps its mark: the stack looks for the way back to its source with it. @return the action */
static __always_inline int give_own_answer(struct __sk_buff *skb)
{
	bpf_skb_change_type(skb, 0 /* PACKET_HOST */);
	return TC_ACT_OK;
}

/* Whether one of these programs sent the packet that arrives at the tunnel's device. A packet that another node wrapped has tunnel
 * metadata, whatever mark it has. */
static __always_inline bool is_from_own_programs(struct __sk_buff *skb, __u32 mark)
{
	struct scratch *scratch = scratch_get();

	return skb->mark == mark && scratch && bpf_skb_get_tunnel_key(skb, &scratch->key, sizeof(scratch->key), 0) &&
	       bpf_skb_get_tunnel_key(skb, &scratch->key, sizeof(scratch->key), BPF_F_TUNINFO_IPV6);
}
