/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../plan.h"
#include "../policy/judge.h"
#include "../read.h"
#include "../settings.h"

/* Packets that the host's stack hands on: what it translated, routed or made itself. */

/* What the stack hands on came from there, but under another source perhaps: a workload whose packets it masqueraded must not
 * send under that one itself. Noted when the packet was judged, not before. */
static __always_inline void note_origin_before_stack(struct origin *origin, const struct __sk_buff *skb)
{
	if (origin->interface == skb->ingress_ifindex && origin->interface)
		return;
	origin->node = ORIGIN_BEFORE_STACK;
	origin->interface = skb->ingress_ifindex;
}

/* What this node's own stack made; what it passes on came in by an interface. */
static __always_inline bool is_made_here(const struct __sk_buff *skb, const struct settings *settings,
					 const struct address *source)
{
	return !skb->ingress_ifindex && is_local_host(settings, source);
}

static __always_inline bool is_endpoint_of(const struct __sk_buff *skb, const struct address *address)
{
	const struct endpoint *endpoint = bpf_map_lookup_elem(&endpoints, address);

	return endpoint && endpoint->ifindex == skb->ifindex;
}

/* Workloads' packets pass the stack only where it handles services, and are believed where they enter this node. Other
 * interfaces than the uplinks have no program that asks. */
static __always_inline bool pretends_workload(const struct __sk_buff *skb, const struct settings *settings,
					      const struct address *source)
{
	return skb->ingress_ifindex && !is_left_to_host(settings) && !sender_before_stack(skb) && is_workload(source);
}

/* What leaves the host's stack and was to be judged there (MARK_JUDGE_LATER): by the sender, whatever source it has by now. What
 * cannot be read is a later fragment of something whose first one was not seen. @return whether it is refused */
static __always_inline bool refuses_after_stack(const struct packet *packet, enum parse_result parsed, struct plan *plan)
{
	enum outcome verdict;

	if (parsed != PARSE_OK) {
		drop(plan, OUTCOME_DROP_FRAGMENT);
		return true;
	}
	verdict = judge_after_stack(packet->skb, &packet->tuple);
	if (verdict == ALLOWED)
		return false;
	drop_flow(plan, verdict);
	return true;
}
