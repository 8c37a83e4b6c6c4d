/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../net/socket.h"
#include "after_stack.h"
#include "open.h"

/* Packets of the node itself that open no connection although no connection of theirs is known: the connection began before there were
 * host policies. The direction that the connection must have is judged. */

/* Opens a connection of the node's address. @return false: the answers already belong to another connection, and stay with it */
__global bool track_from_host(const struct tuple *tuple, __u32 flags)
{
	const struct settings *settings = settings_get();
	struct scratch *scratch = scratch_get();

	if (!tuple || !settings || !scratch)
		return false;
	scratch->direction = reversed(tuple);
	if (live_connection(&scratch->direction)) {
		plan_host_request(settings, tuple, &scratch->plan);
		return false;
	}
	open_plain(tuple, &scratch->plan, CONNECTION_VIA_STACK | flags);
	pass_to_stack(&scratch->plan);
	return true;
}

/* Judges the flow in scratch and opens no connection. */
__global int judge_alone(struct __sk_buff *skb)
{
	struct scratch *scratch = scratch_get();
	enum outcome verdict;

	if (!skb || !scratch)
		return 0;
	verdict = judge_as(skb, LOCAL_SOURCE_IS_NODE);
	if (verdict != ALLOWED)
		drop_flow(&scratch->plan, verdict);
	return 0;
}

/* A packet to the node. If no TCP socket listens at its port, the node has opened the connection: its own packets are remembered, and
 * the packets of the other end wait for them. An answer of UDP belongs to a request of the node. */
__global int decide_midway_to_host(struct __sk_buff *skb, const struct tuple *tuple, enum hook hook)
{
	struct scratch *scratch = scratch_get();

	if (!skb || !tuple || !scratch)
		return 0;
	if (scratch->plan.remember != REMEMBER_HOST_ANSWER && is_listened_to(skb, tuple)) {
		open_plain(tuple, &scratch->plan, CONNECTION_VIA_STACK);
	} else if (hook != HOOK_FROM_WORKLOAD) { /* the node reaches its own workloads */
		scratch->flow = reversed(tuple);
		scratch->arrival = 0;
		scratch->plan.is_judged_alone = true;
	}
	return 0;
}

/* A packet from the node. */
__global int decide_midway_from_host(struct __sk_buff *skb, const struct tuple *tuple)
{
	struct scratch *scratch = scratch_get();

	if (!skb || !tuple || !scratch)
		return 0;
	scratch->flow = reversed(tuple);
	scratch->arrival = 0; /* what comes in by the interface is judged there */
	if (!is_listened_to(skb, &scratch->flow)) {
		if (track_from_host(tuple, 0))
			return 0;
		scratch->flow = *tuple;
	}
	scratch->plan.is_judged_alone = true;
	return 0;
}

/* The end of deciding: the work that decide_to_host() and open_to_host() leave undone, because their callers have no BPF stack left. */
static __always_inline void settle_to_host(const struct packet *packet, struct plan *plan)
{
	if (plan->is_midway)
		decide_midway_to_host(packet->skb, &packet->tuple, packet->hook);
	if (plan->is_judged_alone)
		judge_alone(packet->skb);
}

/* The same for decide_own(). */
static __always_inline void settle_from_host(const struct packet *packet, struct plan *plan)
{
	if (plan->is_midway)
		decide_midway_from_host(packet->skb, &packet->tuple);
	if (plan->is_judged_alone)
		judge_alone(packet->skb);
}
