/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../plan.h"
#include "../policy/judge.h"
#include "../read.h"
#include "../settings.h"

/* Packets that come from the host's stack: the stack translated, routed or made them. */

/* The stack may have given a packet another source. The workload whose packets the stack masqueraded must not send under that source
 * itself. */
static __always_inline struct origin origin_before_stack(const struct __sk_buff *skb)
{
	return (struct origin){.node = ORIGIN_BEFORE_STACK, .interface = skb->ingress_ifindex};
}

/* For a packet that was judged. A workload that was seen to use its own address keeps that record. */
static __always_inline void believe_stack(struct plan *plan, const struct __sk_buff *skb, const struct connection *connection)
{
	const struct origin origin = origin_before_stack(skb);

	if (!origin.interface || connection->origin.interface != origin.interface)
		believe(plan, &origin);
}

/* Whether this node's own stack made the packet. A packet that the stack only routes has an ingress interface. */
static __always_inline bool is_made_here(const struct __sk_buff *skb, const struct settings *settings,
					 const struct address *source)
{
	return !skb->ingress_ifindex && is_local_host(settings, source);
}

/* A datagram that leaves the stack from an address of this node (service/host_requests.h). */
static __always_inline void plan_host_request(const struct settings *settings, const struct tuple *tuple, struct plan *plan)
{
	if (tuple->protocol == IPPROTO_UDP && is_local_host(settings, &tuple->source))
		plan->remember = REMEMBER_HOST_REQUEST;
}

static __always_inline bool is_endpoint_of(const struct __sk_buff *skb, const struct address *address)
{
	const struct endpoint *endpoint = bpf_map_lookup_elem(&endpoints, address);

	return endpoint && endpoint->ifindex == skb->ifindex;
}

/* Packets of workloads pass the stack only while it handles services, and their source is checked where they enter this node. Interfaces
 * other than the uplinks have no program that checks it. */
static __always_inline bool pretends_workload(const struct __sk_buff *skb, const struct settings *settings,
					      const struct address *source)
{
	return skb->ingress_ifindex && !is_left_to_host(settings) && !sender_before_stack(skb) && is_workload(source);
}

/* Judges a packet that leaves the host's stack and was to be judged there (MARK_JUDGE_LATER). The sender decides which policy applies,
 * whatever source the packet has now. A packet that cannot be read is a later fragment whose first fragment was not seen. @return
 * whether it is refused */
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
