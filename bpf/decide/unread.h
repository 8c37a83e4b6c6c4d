/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../locate.h"
#include "../net/parse.h"
#include "../plan.h"

/* Packets that cannot open or follow a connection. */

/* From the network, a packet without known ports: dropped for workloads, left to the host's stack otherwise. */
static __always_inline void decide_portless(const struct packet *packet, struct plan *plan, enum outcome reason)
{
	if (bpf_map_lookup_elem(&endpoints, &packet->tuple.destination))
		return drop(plan, reason);
	if (is_nowhere(&packet->tuple.destination))
		return drop(plan, OUTCOME_DROP_UNKNOWN_ENDPOINT);
	pass_to_stack(plan);
}

/* From a workload, packets that are not IP, or malformed. @return whether that is decided */
static __always_inline bool decide_unread(const struct packet *packet, enum parse_result parsed, struct plan *plan)
{
	switch (parsed) {
	case PARSE_NOT_IP:
		if (packet->skb->protocol == bpf_htons(ETH_P_ARP))
			pass_to_stack(plan);
		else
			drop(plan, OUTCOME_DROP_UNSUPPORTED);
		return true;
	case PARSE_MALFORMED:
		drop(plan, OUTCOME_DROP_MALFORMED);
		return true;
	default:
		return false;
	}
}
