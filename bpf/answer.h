/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "net/become_error.h"
#include "plan.h"
#include "scratch.h"
#include "settings.h"
#include "tunnel/quoted.h"
#include "tunnel/wrapping.h"
#include <linux/pkt_cls.h>

/* ICMP errors that this node sends in place of a packet that ends here or does not fit the way on. */

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

/* Whether its sender can be told that a packet does not fit. Others are cut by the kernel's device. @param fits of find_node() */
__global bool is_too_big(struct __sk_buff *skb, __u32 fits)
{
	return skb && fits && must_stay_whole(skb) && is_usable_mtu(skb, fits);
}

/* To the sender of a packet that came as it was sent: back out of the interface that it came in by. To another, whose packet has been
 * translated, or wrapped on its way here: into the uplink, where from_uplink carries it along its connection (decide/error.h). */
static __always_inline int send_error(struct __sk_buff *skb, const struct settings *settings, bool is_as_sent)
{
	if (is_as_sent) {
		skb->mark = MARK_FORWARDED;
		return bpf_redirect(skb->ifindex, 0);
	}
	skb->mark = MARK_OWN_ERROR;
	return bpf_redirect(settings->uplink_ifindex, BPF_F_INGRESS);
}

/* Answers a packet as a router does. `draft_error` has noted what it is.
 * @param fits not 0: too big for the way on, answered from the address that it goes to, with the size that fits; 0: the TTL of a packet to
 * be wrapped, or of one that has this node's address now, ends here, and this node answers. @return the action */
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
	/* Else the stack answers: it has the packet as the workload would, or as it was sent. */
	if (!fits && !is_client && plan->outcome != OUTCOME_FORWARD_EXTERNAL) {
		pass_to_stack(plan);
		return TC_ACT_OK;
	}
	draft->mtu = fits;
	if (!fits)
		draft->source = *own_address_like(settings, &draft->receiver);
	/* Nothing is remembered of an error, and none is sent about one (RFC 1122, 3.2.2). */
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

/* Of a router's error about a packet that this node wrapped: the same about the packet inside (decide/quoted.h), which scratch has with the draft.
 * @return the action */
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
