/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../connection/open.h"
#include "follow.h"

/* Connections to ordinary addresses: no service has them. */

/* A flow that begins now. @param written the flow before translation. @param flags of its connection */
static __always_inline void begin_arrival(const struct packet *packet, const struct tuple *written, __u32 flags)
{
	struct scratch *scratch = scratch_get();

	if (!scratch)
		return;
	scratch->written = *written;
	scratch->arrival = is_from_network(packet) ? scratch->interface : 0;
	scratch->is_from_entry = is_from_entry(flags);
	scratch->is_to_node = flags & CONNECTION_FORWARDED;
}

/* A packet of the node itself that belongs to no connection: it is judged alone. Of ICMP, an answer is judged by its own type. */
static __always_inline void leave_to_judge(const struct packet *packet, struct plan *plan)
{
	struct scratch *scratch = scratch_get();

	if (!scratch)
		return drop(plan, OUTCOME_DROP_MALFORMED);
	scratch->flow = packet->tuple;
	if (packet->is_answer)
		scratch->flow.destination_port = icmp_answer_port(&packet->tuple);
	begin_arrival(packet, &scratch->flow, 0);
	plan->is_judged_alone = true;
}

/* A new connection. It is judged (judge_opening) and written before the packet is sent. Never NULL; the verifier does not know that. */
static __always_inline struct opening *begin_opening(struct plan *plan)
{
	struct opening *opening = opening_draft();

	if (opening)
		plan->remember = REMEMBER_OPENING;
	else
		drop(plan, OUTCOME_DROP_CONNECTION_TABLE_FULL);
	return opening;
}

/* A new connection to an ordinary address. */
static __always_inline void open_plain(const struct tuple *tuple, struct plan *plan, __u32 flags)
{
	struct opening *opening = begin_opening(plan);

	if (!opening)
		return;
	opening->backend = tuple->destination;
	opening->backend_port = tuple->destination_port;
	opening->flags = flags;
	send_forward(plan, flags);
}
