/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../maps/events.h"
#include "../scratch.h"
#include "share.h"

/* What policies said about the flow at hand: counted, and reported where a Log rule matched. Where connections open, are judged
 * again or are refused, never for a packet of a connection that was judged. */

static __always_inline void count_verdict(const struct judgement *judgement, enum direction direction)
{
	struct policy_decision decision = {
		.policy = judgement->policy,
		.rule = judgement->rule,
		.direction = direction,
		.verdict = judgement->verdict,
	};
	struct verdict_counter first = {.flows = 1};
	struct verdict_counter *counter;

	if (decision.verdict == POLICY_ALLOW)
		decision.rule = 0;
	counter = bpf_map_lookup_elem(&verdicts, &decision);
	if (counter)
		counter->flows++;
	else
		bpf_map_update_elem(&verdicts, &decision, &first, BPF_NOEXIST);
}

/* Nothing waits for a reader: over the limit, or with a full ring, it is only counted that there was something to report. */
static __always_inline void report_logged(const struct scratch *scratch, const struct judgement *judgement, enum direction direction)
{
	struct event *event = report_reserve_shared(EVENT_LOGGED, REPORT_LOGGED, REPORT_MOST_LOGGED,
						    sender_of(&scratch->flow.source), scratch->interface);

	if (!event)
		return;
	event->packet = scratch->flow;
	event->policy = judgement->policy;
	event->identity = judgement->identity;
	event->rule = judgement->rule;
	event->verdict = judgement->verdict;
	event->direction = direction;
	event_submit(event);
}

/* @param direction of an endpoint's policy that was asked */
__global int note_direction(enum direction direction)
{
	struct scratch *scratch = scratch_get();
	struct judgement *judgement;

	if (!scratch)
		return 0;
	judgement = &scratch->judgements[direction == DIRECTION_EGRESS];
	count_verdict(judgement, direction);
	if (judgement->flags & POLICY_LOGGED)
		report_logged(scratch, judgement, direction);
	return 0;
}

static __always_inline void note_verdicts(const struct plan *plan)
{
	if (plan->asked & (1 << DIRECTION_INGRESS))
		note_direction(DIRECTION_INGRESS);
	if (plan->asked & (1 << DIRECTION_EGRESS))
		note_direction(DIRECTION_EGRESS);
}
