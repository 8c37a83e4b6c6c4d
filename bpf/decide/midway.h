/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../net/socket.h"
#include "after_stack.h"
#include "open.h"

/* Packets of the node itself that show no connection which is known, although they open none: it began before there were host
 * policies. Judged is the direction that it must have. */

/* A new connection of the node's address. @return false: another connection has the answers already, and they stay that one's */
static __step int track_from_host(const struct packet *packet, const struct settings *settings, __u32 flags, struct plan *plan)
{
	struct scratch *scratch = scratch_get();

	if (!packet || !settings || !plan || !scratch)
		return false;
	scratch->direction = reversed(&packet->tuple);
	if (live_connection(&scratch->direction)) {
		plan_host_request(settings, &packet->tuple, plan);
		return false;
	}
	open_plain(packet, plan, CONNECTION_VIA_STACK | flags);
	pass_to_stack(plan);
	return true;
}

/* Judges the flow in scratch and remembers nothing. */
static __step int judge_alone(struct __sk_buff *skb, struct plan *plan)
{
	struct scratch *scratch = scratch_get();
	enum outcome verdict;

	if (!plan || !scratch)
		return 0;
	verdict = judge_as(skb, LOCAL_SOURCE_IS_NODE);
	if (verdict != ALLOWED)
		drop_flow(plan, verdict);
	return 0;
}

/* To the node. Of TCP, whoever does not wait for connections has opened this one; its packets are remembered, the other end's wait for
 * them. An answer of UDP was asked for. */
static __step int decide_midway_to_host(const struct packet *packet, struct plan *plan)
{
	struct scratch *scratch = scratch_get();

	if (!packet || !plan || !scratch)
		return 0;
	if (plan->remember != REMEMBER_HOST_ANSWER && is_listened_to(packet, &packet->tuple)) {
		open_plain(packet, plan, CONNECTION_VIA_STACK);
	} else if (packet->hook != HOOK_FROM_WORKLOAD) { /* the node reaches its own workloads */
		scratch->flow = reversed(&packet->tuple);
		scratch->arrival = 0;
		plan->is_judged_alone = true;
	}
	return 0;
}

/* From the node. */
static __step int decide_midway_from_host(const struct packet *packet, const struct settings *settings, struct plan *plan)
{
	struct scratch *scratch = scratch_get();

	if (!packet || !settings || !plan || !scratch)
		return 0;
	scratch->flow = reversed(&packet->tuple);
	scratch->arrival = 0; /* what comes in by the interface is judged there */
	if (!is_listened_to(packet, &scratch->flow)) {
		if (track_from_host(packet, settings, 0, plan))
			return 0;
		scratch->flow = packet->tuple;
	}
	plan->is_judged_alone = true;
	return 0;
}

/* The end of deciding: what decide_to_host() and open_to_host() have left to do, since their callers have no BPF stack left. */
static __always_inline void settle_to_host(const struct packet *packet, struct plan *plan)
{
	if (plan->is_midway)
		decide_midway_to_host(packet, plan);
	if (plan->is_judged_alone)
		judge_alone(packet->skb, plan);
}

/* The same of decide_own(). */
static __always_inline void settle_from_host(const struct packet *packet, const struct settings *settings, struct plan *plan)
{
	if (plan->is_midway)
		decide_midway_from_host(packet, settings, plan);
	if (plan->is_judged_alone)
		judge_alone(packet->skb, plan);
}
