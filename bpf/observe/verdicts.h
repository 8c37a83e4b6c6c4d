/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../maps/events.h"
#include "../scratch.h"
#include "share.h"

/* The verdicts of policies about the flow at hand: counted, and reported if a Log rule matched. Called when a connection opens, is
 * judged again or is refused, never for a packet of a connection that was judged. */

static __always_inline void count_verdict(const struct judgement *judgement)
{
	struct policy_decision decision = {
		.policy = judgement->policy,
		.rule = judgement->rule,
		.direction = judgement->direction,
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

/* Nothing waits for a reader: an event that is over the limit, or for which the ring has no room, is only counted. */
static __always_inline void report_logged(const struct scratch *scratch, const struct judgement *judgement)
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
	event->direction = judgement->direction;
	event_submit(event);
}

/* @param judged the policy that was asked */
__global int note_judgement(enum judged judged)
{
	struct scratch *scratch = scratch_get();
	struct judgement *judgement;

	if (!scratch)
		return 0;
	judgement = judgement_of(scratch, judged);
	if (judgement->verdict != POLICY_NEXT)
		count_verdict(judgement);
	if (judgement->flags & POLICY_LOGGED)
		report_logged(scratch, judgement);
	return 0;
}

static __always_inline void note_verdicts(const struct plan *plan)
{
	for (enum judged judged = 0; judged < JUDGED_COUNT; judged++)
		if (plan->asked & (1 << judged))
			note_judgement(judged);
}
