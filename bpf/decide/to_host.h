/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../settings.h"
#include "plain.h"

/* Packets to the node itself, while host policies exist. Their connections are tracked like those of workloads, so that answers need no
 * rule. The stack gets the packets in any case: nothing is translated. */

/* A packet from the network, or from a workload of this node if packets from workloads to the node are judged. Separate function: the
 * caller has no BPF stack left. */
static __step int open_to_host(const struct packet *packet, struct plan *plan)
{
	if (!packet || !plan)
		return 0;
	if (packet->is_answer) {
		route_by_stack(plan);
		if (packet->hook != HOOK_FROM_WORKLOAD) /* the node reaches its own workloads */
			leave_to_judge(packet, plan);
	} else if (plan->remember != REMEMBER_HOST_ANSWER && packet_may_open(packet)) {
		open_plain(&packet->tuple, plan, CONNECTION_VIA_STACK);
	} else {
		plan->is_midway = true;
		route_by_stack(plan);
	}
	return 0;
}

/* A packet that goes to no service and to no workload of this node. */
static __always_inline void decide_to_host(const struct packet *packet, const struct settings *settings, __u32 location_flags,
					   struct plan *plan)
{
	if (plan->is_accepted && (location_flags & LOCATION_LOCAL_HOST))
		route_by_stack(plan); /* doNotTrack: past the connections */
	else if (has_host_policies(settings) && (location_flags & LOCATION_LOCAL_HOST))
		open_to_host(packet, plan);
	else if (has_host_stages(settings) && plan->remember != REMEMBER_HOST_ANSWER && packet_may_open(packet) && !packet->is_answer)
		open_plain(&packet->tuple, plan, CONNECTION_VIA_STACK); /* a router's packet: judged where it comes in and where it leaves */
	else
		route_by_stack(plan);
}
