/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../net/route.h"
#include "../plan.h"
#include "../scratch.h"
#include "../settings.h"

/* Connections to hosts outside the cluster, for which an address of this node is the client. */

/* The interface by which the routing table leads to the destination; 0: no route. */
__global __u32 interface_towards(struct __sk_buff *skb, const struct address *source, const struct address *destination)
{
	const struct settings *settings = settings_get();
	struct scratch *scratch = scratch_get();

	if (!skb || !source || !destination || !settings || !scratch)
		return 0;
	route_question(&scratch->route, settings, source, destination);
	return route_ask(skb, &scratch->route) == ROUTE_UNKNOWN ? 0 : scratch->route.ifindex;
}

/* A connection to a host outside the cluster that gets this node as its client: by the address in the opening, or by one that leads back
 * to the interface. Otherwise that host would answer the client directly, which knows the host only by a service's address, or the
 * answer would be lost. */
static __always_inline void open_masqueraded(const struct settings *settings, __u32 interface, __u32 flags, struct opening *opening,
					     struct plan *plan)
{
	if (address_is_unset(&opening->node))
		opening->node = *address_at(settings, interface, &opening->backend);
	opening->flags = CONNECTION_MASQUERADED | flags;
	send(plan, EXIT_DESTINATION, OUTCOME_FORWARD_EXTERNAL);
	if (address_is_unset(&opening->node))
		drop(plan, OUTCOME_DROP_NO_ROUTE);
}
