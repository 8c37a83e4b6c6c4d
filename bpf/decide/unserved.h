/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../net/icmp.h"
#include "../service/choose.h"
#include "../settings.h"
#include "refuse.h"

/* Packets to a cluster address at a port that no service has there. No other host has that address, so this node answers. */

/* This node's stack answers in the address's place. */
static __always_inline void answer_query(const struct packet *packet, const struct settings *settings, struct plan *plan)
{
	const struct address *own = own_address_like(settings, &packet->tuple.destination);
	struct opening *opening = opening_draft();

	if (!opening || address_is_unset(own))
		return drop(plan, OUTCOME_DROP_UNSUPPORTED);
	opening->backend = *own;
	opening->backend_port = packet->tuple.destination_port;
	opening->flags = CONNECTION_HOST_BACKEND;
	plan->remember = REMEMBER_OPENING;
	send(plan, EXIT_DESTINATION, OUTCOME_TO_NETWORK);
}

/* @return whether the packet is such a one, and decided. Separate function: the caller has no BPF stack left. */
static __noinline bool decide_unserved(const struct packet *packet, const struct settings *settings, struct plan *plan)
{
	const struct tuple *tuple;

	if (!packet || !settings || !plan)
		return false;
	tuple = &packet->tuple;
	if (is_left_to_host(settings) || !packet_may_open(packet) || !is_cluster_address(&tuple->destination))
		return false;
	if (has_ports(tuple))
		refuse_new(packet, settings, NULL, plan, OUTCOME_REJECT_NO_SERVICE);
	else if (!packet->is_answer)
		answer_query(packet, settings, plan);
	else
		return false;
	return true;
}
