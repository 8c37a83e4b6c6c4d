/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../tunnel/tunnel.h"
#include "plain.h"

/* New connections are judged when it is decided where they go: after translation. */

/* If the backend of a service were a node's tunnel port, workloads could send wrapped packets. */
static __always_inline bool may_reach_tunnel(const struct settings *settings, const struct address *destination)
{
	return (settings->flags & SETTINGS_ALLOW_VXLAN_FROM_WORKLOADS) ||
	       !(location_flags(locate(destination)) & (LOCATION_LOCAL_HOST | LOCATION_REMOTE_HOST));
}

static __always_inline bool was_by_source_port(const struct scratch *scratch, enum judged judged)
{
	return (scratch->plan.asked & (1 << judged)) && scratch->judgements[judged].by_source_port;
}

/* Whether the refusal of scratch's flow holds for all flows from the same origin to the same port: no service chooses among backends,
 * the source port does not decide, and only policies of workloads are asked. */
__global int note_whether_refusal_lasts(const struct tuple *tuple)
{
	const struct settings *settings = settings_get();
	struct scratch *scratch = scratch_get();

	if (tuple && settings && scratch)
		scratch->plan.refusal_lasts =
			scratch->plan.has_origin && !(scratch->opening.flags & ~CONNECTION_MASQUERADED) &&
			!has_host_stages(settings) && scratch->opening.backend_port == tuple->destination_port &&
			address_is_equal(&scratch->opening.backend, &tuple->destination) &&
			!(was_by_source_port(scratch, JUDGED_INGRESS) || was_by_source_port(scratch, JUDGED_EGRESS));
	return 0;
}

/* Judges the connection that a plan would open, after translation. The policies of workloads are asked on the backend's node if the
 * connection is forwarded, and behind the stack if kube-proxy translates it. */
static __always_inline void judge_opening(const struct packet *packet, const struct settings *settings, struct plan *plan)
{
	struct scratch *scratch = scratch_get();
	struct opening *opening;
	enum outcome verdict;
	struct tuple *flow;

	if (plan->remember != REMEMBER_OPENING || !settings || !scratch)
		return;
	opening = &scratch->opening;
	if (is_from_network(packet))
		opening->origin.interface = scratch->interface; /* where policies that come later judge it */
	if ((opening->flags & CONNECTION_NOT_JUDGED) ||
	    ((opening->flags & (CONNECTION_FORWARDED | CONNECTION_REFUSED)) && !has_host_stages(settings)))
		return;
	if (packet->is_answer)
		return drop(plan, OUTCOME_DROP_UNRELATED);
	flow = &scratch->flow;
	*flow = packet->tuple;
	flow->destination = opening->backend;
	flow->destination_port = opening->backend_port;
	if (is_tunnel_packet(flow) && !may_reach_tunnel(settings, &flow->destination))
		return drop_flow(plan, OUTCOME_DROP_TUNNEL_FROM_WORKLOAD);
	if (opening->flags & CONNECTION_JUDGED_LATER)
		return;
	begin_arrival(packet, &packet->tuple, opening->flags);
	begin_verdict(settings, scratch);
	verdict = opening->flags & CONNECTION_REFUSED ? judge_arrival(scratch) : judge(packet->skb);
	if (verdict != ALLOWED) {
		note_whether_refusal_lasts(&packet->tuple);
		return drop_flow(plan, verdict);
	}
	note_verdict(settings, scratch, &opening->policy_revision, &opening->ends_revision);
}
