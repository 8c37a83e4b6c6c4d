/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../net/route.h"
#include "../observe/trace.h"
#include "../tunnel/wrapping.h"
#include "ask.h"
#include "host.h"

/* The policies of host endpoints about flows that come in by an interface of the node, and about flows that the node forwards. Asked
 * only while there are such policies (has_host_stages). */

static __always_inline bool is_of_departure(enum judged judged)
{
	return judged == JUDGED_DEPARTURE || judged == JUDGED_UNTRACKED_OUT;
}

/* Asks one stage of an interface's host endpoint about scratch's flow. HOST_PRE_DNAT and HOST_UNTRACKED are asked about the flow before
 * translation, `written`. @return enum policy_verdict; NEXT: the stage decides nothing, or does not exist */
__global int ask_host(enum host_stage stage, enum judged judged, __u32 interface)
{
	enum direction direction = is_of_departure(judged) ? DIRECTION_EGRESS : DIRECTION_INGRESS;
	struct scratch *scratch = scratch_get();
	const struct endpoint *endpoint;
	struct judgement *judgement;
	const struct tuple *flow;

	if (!scratch)
		return POLICY_DENY;
	endpoint = host_endpoint_at(interface, stage);
	if (!endpoint || !is_isolated(endpoint, direction))
		return POLICY_NEXT;
	flow = stage == HOST_FORWARDED ? &scratch->flow : &scratch->written;
	judgement = judgement_of(scratch, judged);
	*judgement = (struct judgement){.direction = direction};
	policy_ask(endpoint, direction, flow, peer_at(direction == DIRECTION_INGRESS ? &flow->source : &flow->destination, scratch).identity,
		   judgement, scratch);
	scratch->plan.asked |= 1 << judged;
	scratch->plan.refused_by = judged;
	trace_judged(flow, direction, judgement);
	return judgement->verdict;
}

enum arrival {
	ARRIVES_NOWHERE, /* it begins on this node, or it is not known where it comes in */
	ARRIVES_HERE,	 /* at the node itself */
	PASSES_THROUGH,
};

/* Where scratch's flow comes in. */
__global enum arrival arrival_of(void)
{
	const struct settings *settings = settings_get();
	struct scratch *scratch = scratch_get();

	if (!scratch || !settings || !scratch->arrival || bpf_map_lookup_elem(&endpoints, &scratch->flow.source) ||
	    is_local_host(settings, &scratch->flow.source))
		return ARRIVES_NOWHERE;
	return is_local_host(settings, &scratch->flow.destination) ? ARRIVES_HERE : PASSES_THROUGH;
}

/* Judges scratch's flow where it comes in. A flow that was allowed before translation is not judged there again. */
static __always_inline enum outcome judge_arrival(struct scratch *scratch)
{
	enum arrival arrival = arrival_of();
	int verdict = POLICY_NEXT;

	if (arrival == ARRIVES_NOWHERE || scratch->plan.is_accepted)
		return ALLOWED;
	if (!scratch->is_from_entry)
		verdict = ask_host(HOST_PRE_DNAT, JUDGED_PRE_DNAT, scratch->arrival);
	if (verdict == POLICY_DENY && arrival == ARRIVES_HERE && is_failsafe(&scratch->flow, DIRECTION_INGRESS))
		verdict = scratch->judgements[JUDGED_PRE_DNAT].verdict = POLICY_ALLOW;
	if (verdict == POLICY_ALLOW)
		scratch->plan.is_accepted = true;
	else if (verdict == POLICY_NEXT && arrival == PASSES_THROUGH)
		verdict = ask_host(HOST_FORWARDED, JUDGED_ARRIVAL, scratch->arrival);
	return verdict == POLICY_DENY ? OUTCOME_DROP_POLICY_INGRESS : ALLOWED;
}

#define LEAVES_NOWHERE FROM_WORKLOADS /* no interface's index */

/* The interface by which scratch's flow leaves this node, as destination.h finds its next hop; ANY_INTERFACE: it is not known. Not used
 * for the packets of the node itself. */
__global __u32 departure_of(struct __sk_buff *skb)
{
	const struct settings *settings = settings_get();
	struct scratch *scratch = scratch_get();
	struct bpf_fib_lookup *route;
	__u32 to;

	if (!skb || !scratch || !settings || bpf_map_lookup_elem(&endpoints, &scratch->flow.destination) ||
	    is_local_host(settings, &scratch->flow.source))
		return LEAVES_NOWHERE;
	to = location_flags(locate(&scratch->flow.destination));
	if (to & LOCATION_LOCAL_HOST)
		return LEAVES_NOWHERE;
	if (scratch->is_to_node || is_wrapped_for(to, &scratch->flow.source))
		return settings->tunnel_ifindex;
	route = &scratch->route;
	route_question(route, settings, &scratch->flow.source, &scratch->flow.destination);
	return route_ask(skb, route) == ROUTE_UNKNOWN ? ANY_INTERFACE : route->ifindex;
}

/* doNotTrack is asked only about the node's own packets (decide/untracked.h). */
static __always_inline enum outcome judge_departure(struct __sk_buff *skb)
{
	__u32 interface = departure_of(skb);

	if (interface == LEAVES_NOWHERE)
		return ALLOWED;
	return ask_host(HOST_FORWARDED, JUDGED_DEPARTURE, interface) == POLICY_DENY ? OUTCOME_DROP_POLICY_EGRESS : ALLOWED;
}
