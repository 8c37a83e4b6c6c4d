/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../connection/table.h"
#include "../net/tuple.h"
#include "../scratch.h"
#include "../verdict.h"
#include "share.h"

/* Reports of connections that open, and of packets that are refused. */

/* A packet that is dropped or rejected, and the flow that it would have become after translation, if that is known. */
__global int report_refused(struct __sk_buff *skb)
{
	struct scratch *scratch = scratch_get();
	const struct judgement *judgement;
	const struct plan *plan;
	struct event *event;

	if (!skb || !scratch || !has_listeners())
		return 0;
	plan = &scratch->plan;
	read_tuple(skb, &scratch->direction); /* nobody looks for an entry any more */
	event = report_reserve_shared(EVENT_REFUSED, REPORT_REFUSED, REPORT_MOST_REFUSED, sender_of(&scratch->direction.source),
				      skb->ifindex);
	if (!event)
		return 0;
	event->packet = scratch->direction;
	event->outcome = plan->outcome;
	event->interface = skb->ifindex;
	if (plan->flow_is_known) {
		event->address = scratch->flow.destination;
		event->port = scratch->flow.destination_port;
	}
	if (is_refused_by_policy(plan->outcome) && (plan->asked & (1 << plan->refused_by))) { /* else the judgement is of an earlier packet */
		judgement = judgement_of(scratch, plan->refused_by);
		event->policy = judgement->policy;
		event->identity = judgement->identity;
		event->rule = judgement->rule;
	}
	event_submit(event);
	return 0;
}

/* Called after a connection was written: its entry and its tuple are still in scratch. */
static __noinline int report_opened(__u32 interface)
{
	const struct scratch *scratch = scratch_get();
	const struct connection *connection;
	struct event *event;

	if (!scratch || !has_listeners())
		return 0;
	connection = &scratch->connection;
	event = report_reserve(EVENT_OPENED, REPORT_OPENED, REPORT_MOST_OPENED);
	if (!event)
		return 0;
	event->packet = scratch->direction;
	event->address = connection->address;
	event->node = connection->node;
	event->port = connection->port;
	event->peer_port = connection->peer_port;
	event->flags = connection->flags;
	event->backend = connection->backend;
	event->interface = interface;
	event_submit(event);
	return 0;
}
