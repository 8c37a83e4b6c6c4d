/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "after_stack.h"
#include "midway.h"

/* Packets that leave the node with an address of the node, while host policies exist: see to_host.h. */

static __always_inline void follow_from_host(struct packet *packet, const struct settings *settings, struct connection *connection,
					     struct plan *plan)
{
	enum outcome verdict;

	trace_known(connection);
	verdict = judge_again(packet->skb, &packet->tuple, settings, connection);
	if (verdict != ALLOWED)
		return drop(plan, verdict);
	along(packet, connection, plan);
	plan->translate = TRANSLATE_NOTHING;
}

/* Packets of the node to other hosts and workloads. A packet that the stack only forwards was judged by its sender's policy. It is
 * tracked because its answers come to the node's address. The caller judges a new connection (judge_opening). */
static __step int decide_from_host(struct packet *packet, const struct settings *settings, struct plan *plan)
{
	struct connection *connection;

	if (!packet || !settings || !plan)
		return 0;
	connection = connection_find(packet);
	if (connection)
		follow_from_host(packet, settings, connection, plan);
	else if (packet->skb->ingress_ifindex)
		track_from_host(&packet->tuple, CONNECTION_NOT_JUDGED);
	else if (packet->is_answer)
		leave_to_judge(packet, plan);
	else if (!packet_may_open(packet))
		plan->is_midway = true;
	else if (!track_from_host(&packet->tuple, 0))
		leave_to_judge(packet, plan);
	return 0;
}

/* A packet with ports that leaves the stack and does not belong to a workload of this node. */
static __always_inline void decide_own(struct packet *packet, const struct settings *settings, struct plan *plan)
{
	pass_to_stack(plan);
	if (plan->is_accepted) /* doNotTrack: past the connections */
		return;
	if (!has_host_policies(settings) || is_for_many(&packet->tuple.destination))
		plan_host_request(settings, &packet->tuple, plan);
	else if (is_local_host(settings, &packet->tuple.source))
		decide_from_host(packet, settings, plan);
}

/* A packet to or from the node, of a protocol without known ports. ICMP messages here are neither queries nor answers. Each packet is
 * judged alone. */
static __step int decide_portless_host(struct packet *packet, const struct settings *settings, struct plan *plan)
{
	struct connection *connection;

	if (!packet || !settings || !plan)
		return 0;
	pass_to_stack(plan);
	if (plan->is_accepted)
		return 0;
	if (!has_ports(&packet->tuple)) {
		leave_to_judge(packet, plan);
		return 0;
	}
	connection = connection_find(packet);
	if (connection) {
		follow_from_host(packet, settings, connection, plan);
		return 0;
	}
	open_plain(&packet->tuple, plan, CONNECTION_VIA_STACK);
	pass_to_stack(plan);
	return 0;
}

/* No policy keeps the node from its workloads. The connection tells their answers from requests. */
static __always_inline void decide_from_host_to_workload(struct packet *packet, const struct settings *settings,
							 struct connection *connection, struct plan *plan)
{
	if (!(settings->flags & SETTINGS_WORKLOADS_TO_HOST))
		return plan_host_request(settings, &packet->tuple, plan);
	if (connection) {
		along(packet, connection, plan);
		plan->translate = TRANSLATE_NOTHING;
		return;
	}
	track_from_host(&packet->tuple, CONNECTION_NOT_JUDGED);
}
