/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../net/neighbour.h"
#include "../plan.h"

/* ARP or neighbour discovery from an uplink. This node answers requests for the load balancer addresses that it announces. Another
 * host's claim to such an address does not reach the node's stack, which would believe it. Everything else goes to the stack. */
static __always_inline void decide_neighbour(enum neighbour_frame frame, struct plan *plan)
{
	switch (frame) {
	case NEIGHBOUR_REQUEST:
		return send(plan, EXIT_ANSWER, OUTCOME_ANSWER_NEIGHBOUR);
	case NEIGHBOUR_CLAIM:
		return drop(plan, OUTCOME_DROP_ADDRESS_CLAIM);
	default:
		return pass_to_stack(plan);
	}
}
