/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "connection/touch.h"
#include "decide/follow.h"
#include "observe/outcomes.h"
#include "observe/services.h"
#include "observe/verdicts.h"
#include "tunnel/early.h"

/* Does in the card's driver what apply.h does at tc, with the same entries, counters and bytes. */

/* A packet that does not fit its link goes to tc, which fragments large segments and sends errors. All later packets of its connection
 * go there too, so that none overtakes it. */
static __always_inline void leave_to_tc(struct connection *connection)
{
	flags_set(connection, CONNECTION_LARGE);
}

/* A packet of a connection that this node forwards: it is sent to its backend's node, out of the interface that it came by. @return the
 * action */
static __always_inline int send_early(struct xdp_md *ctx, const struct packet *packet, const struct settings *settings,
				      struct connection *connection, const struct next_hop *hop)
{
	const struct wrapping wrapping = {
		.node = connection->node,
		.kind = forward_kind(connection->flags),
		.backend = connection->backend,
	};
	__u32 bytes = early_length(ctx);

	if (wrap_early(ctx, &packet->tuple, settings, &wrapping, hop) != XDP_TX)
		return XDP_PASS;
	connection_carries(connection, packet);
	if (connection->service && counts_services(settings))
		count_service(connection->service, SERVICE_COUNT_REQUESTS, bytes);
	count_outcome(OUTCOME_FORWARD_SERVICE, early_length(ctx), true);
	return XDP_TX;
}

/* A packet that policies refuse again, as the plan says. @return the action */
static __always_inline int drop_early(struct xdp_md *ctx, const struct plan *plan)
{
	note_verdicts(plan);
	count_outcome(plan->outcome, early_length(ctx), true);
	return XDP_DROP;
}
