/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../egress.h"
#include "../shared/service.h"
#include "masquerade.h"
#include "plain.h"

/* New connections that leave the cluster from this node, or from a gateway. */

/* Whether a backend is neither a workload nor a node: its address comes from an EndpointSlice that a user wrote. */
static __always_inline bool is_outside(const struct backend *backend)
{
	const __u32 cluster = LOCATION_POOL | LOCATION_LOCAL_HOST | LOCATION_REMOTE_HOST;

	return address_is_unset(&backend->node) && !(backend->flags & BACKEND_LOCAL) &&
	       !(location_flags(locate(&backend->address)) & cluster);
}

/* Workloads of other pools reach the backend with their own address, as they reach every host outside the cluster. */
static __always_inline bool must_be_masqueraded(const struct packet *packet, bool external)
{
	return external || (location_flags(locate(&packet->tuple.source)) & LOCATION_NAT_OUTGOING);
}

/* From a workload whose packets leave the cluster in another way than its pool says. @param how of find_egress(), not EGRESS_PLAIN.
 * @return false: the packet gets an address of this node, which is now in the opening */
static __always_inline bool open_by_egress(int how, struct opening *opening, struct plan *plan)
{
	const struct scratch *scratch = scratch_get();

	if (how == EGRESS_NONE || !scratch) {
		drop(plan, OUTCOME_DROP_NO_EGRESS_GATEWAY);
		return true;
	}
	opening->node = scratch->egress;
	if (how == EGRESS_HERE)
		return false;
	opening->flags = CONNECTION_BY_GATEWAY;
	send_overlay(plan, &opening->node, ENCAPSULATION_VXLAN);
	return true;
}

/* To a backend outside the cluster. @return false: the sender reaches the backend with its own address */
static __always_inline bool open_outside(struct __sk_buff *skb, const struct packet *packet, const struct settings *settings, bool external,
					 struct opening *opening, struct plan *plan)
{
	int how = external ? EGRESS_PLAIN : find_egress(&packet->tuple.source, &opening->backend);

	if (how != EGRESS_PLAIN && open_by_egress(how, opening, plan))
		return true;
	if (how == EGRESS_PLAIN && !must_be_masqueraded(packet, external))
		return false;
	open_masqueraded(settings, interface_towards(skb, &packet->tuple.source, &opening->backend), 0, opening, plan);
	return true;
}

/* This node may be the gateway of another node's workload. @param to flags of the destination's location. @return false: the packet does
 * not leave the cluster */
static __always_inline bool open_as_gateway(struct __sk_buff *skb, const struct packet *packet, const struct settings *settings, __u32 to,
					    struct plan *plan)
{
	struct scratch *scratch = scratch_get();
	__u32 interface;

	if (!has_egress(settings) || !scratch || !is_outside_cluster(&packet->tuple.destination, to) ||
	    !(location_flags(locate(&packet->tuple.source)) & LOCATION_POOL))
		return false;
	if (find_egress(&packet->tuple.source, &packet->tuple.destination) != EGRESS_HERE) {
		drop(plan, OUTCOME_DROP_NO_EGRESS_GATEWAY);
		return true;
	}
	interface = interface_towards(skb, &packet->tuple.source, &packet->tuple.destination);
	open_plain(&packet->tuple, plan, 0);
	scratch->opening.node = scratch->egress;
	open_masqueraded(settings, interface, CONNECTION_BY_GATEWAY, &scratch->opening, plan);
	if (!interface)
		drop(plan, OUTCOME_DROP_NO_ROUTE);
	return true;
}
