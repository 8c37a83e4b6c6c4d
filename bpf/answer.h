/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "net/become_error.h"
#include "plan.h"
#include "scratch.h"
#include "settings.h"
#include "tunnel/quoted.h"
#include "tunnel/wrapping.h"
#include <linux/pkt_cls.h>

/* ICMP errors that this node sends in place of a packet: of one whose TTL ends here, or that does not fit the next link. */

#define ERRORS_PER_WINDOW 100 /* for each CPU */
#define ERROR_WINDOW 100000000ULL /* ns: 0.1 s */

static __always_inline bool may_send_error(struct error_limit *limit)
{
	__u64 now = bpf_ktime_get_coarse_ns();

	if (now - limit->window >= ERROR_WINDOW) {
		limit->window = now;
		limit->in_window = 0;
	}
	return limit->in_window++ < ERRORS_PER_WINDOW;
}

/* Whether the packet's sender can be told that it does not fit. Other packets are fragmented by the kernel's device. @param fits of
 * find_node() */
__global bool is_too_big(struct __sk_buff *skb, __u32 fits)
{
	return skb && fits && must_stay_whole(skb) && is_usable_mtu(skb, fits);
}

/* Sends the error to the packet's sender. If the packet is as its sender wrote it, the error goes back out of the interface that the
 * packet came in by. If the packet was translated, or came here wrapped, the error goes into the uplink, where from_uplink sends it
 * along the packet's connection (decide/error.h). */
static __always_inline int send_error(struct __sk_buff *skb, const struct settings *settings, bool is_as_sent)
{
	if (is_as_sent) {
		skb->mark = MARK_FORWARDED;
		return bpf_redirect(skb->ifindex, 0);
	}
	skb->mark = MARK_OWN_ERROR;
	return bpf_redirect(settings->uplink_ifindex, BPF_F_INGRESS);
}

/* Answers a packet as a router does. `draft_error` has noted what the packet is. @param fits not 0: the packet is too big for its next
 * link; the answer comes from the packet's destination, with the size that fits. 0: the TTL ends here, of a packet that was to be
 * wrapped or that now has this node's address as its destination; the answer comes from this node. @return the action */
__global int answer_with_error(struct __sk_buff *skb, __u32 fits)
{
	const struct settings *settings = settings_get();
	struct scratch *scratch = scratch_get();
	struct error_draft *draft;
	struct plan *plan;
	bool is_client;

	if (!skb || !settings || !scratch)
		return TC_ACT_SHOT;
	draft = &scratch->error;
	plan = &scratch->plan;
	is_client = plan->exit == EXIT_NODE && wrapping_is_service(&plan->wrapping);
	/* Otherwise the stack answers: it gets the packet as the workload would get it, or as it was sent. */
	if (!fits && !is_client && plan->outcome != OUTCOME_FORWARD_EXTERNAL) {
		pass_to_stack(plan);
		return TC_ACT_OK;
	}
	draft->mtu = fits;
	if (!fits)
		draft->source = *own_address_like(settings, &draft->receiver);
	/* An error opens no connection, and no error is sent about an error (RFC 1122, 3.2.2). */
	if (plan->remember == REMEMBER_NOTHING || !draft->l4_present || address_is_unset(&draft->source) ||
	    !may_send_error(&scratch->error_limit)) {
		drop(plan, OUTCOME_DROP_NO_ROUTE);
		return TC_ACT_SHOT;
	}
	if (become_error(skb, draft)) {
		drop(plan, OUTCOME_DROP_MALFORMED);
		return TC_ACT_SHOT;
	}
	send(plan, EXIT_ANSWER, fits ? OUTCOME_ANSWER_TOO_BIG : OUTCOME_ANSWER_EXPIRED);
	return send_error(skb, settings, is_client);
}

/* The TTL ends here. Separate function: few packets need it. */
static __noinline int end_here(struct __sk_buff *skb, const struct packet *packet)
{
	struct scratch *scratch = scratch_get();

	if (!packet || !scratch)
		return TC_ACT_SHOT;
	draft_error(&scratch->error, packet);
	return answer_with_error(skb, 0);
}

/* A router's error about a packet that this node wrapped becomes the same error about the packet inside (decide/quoted.h). Scratch has
 * that packet and the draft of the error. @return the action */
__global int answer_quoted(struct __sk_buff *skb)
{
	const struct settings *settings = settings_get();
	struct scratch *scratch = scratch_get();

	if (!skb || !settings || !scratch)
		return TC_ACT_SHOT;
	if (!may_send_error(&scratch->error_limit)) {
		drop(&scratch->plan, OUTCOME_DROP_NO_ROUTE);
		return TC_ACT_SHOT;
	}
	if (become_quoted(skb, &scratch->inner) || become_error(skb, &scratch->error)) {
		drop(&scratch->plan, OUTCOME_DROP_MALFORMED);
		return TC_ACT_SHOT;
	}
	return send_error(skb, settings, false);
}
