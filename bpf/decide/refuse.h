/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../connection/open.h"
#include "../plan.h"
#include "../settings.h"
#include "../tunnel/wrapping.h"

/* Packets that are refused with an answer: a RST, or ICMP port unreachable. The node's own stack writes it, within the kernel's limits:
 * the packet opens a connection to a port of this node that no socket can have. The answer is translated like a backend's, so it
 * carries the address that the client used, whoever owns that address, and goes back the way the client came. Nothing is routed on,
 * so two nodes that disagree about a service do not send each other its packets. */

#define UNUSABLE_PORT 0 /* bind(2) gives a socket another port in its place */

/* How replies to a wrapped packet go back. */
static __always_inline __u32 return_flags(const struct wrapping *wrapping)
{
	if (!wrapping)
		return 0;
	return wrapping->kind == TUNNEL_FORWARD_VIA	 ? CONNECTION_VIA_ENTRY
	       : wrapping->kind == TUNNEL_FORWARD_DIRECT ? CONNECTION_DIRECT_RETURN
							 : 0;
}

/* @param flags and `node`: the way of the answer */
static __always_inline void refuse(const struct packet *packet, const struct settings *settings, __u32 flags,
				   const struct address *node, struct plan *plan, enum outcome reason)
{
	const struct address *own = own_address_like(settings, &packet->tuple.destination);
	struct opening *opening = opening_draft();

	if (!opening)
		return drop(plan, OUTCOME_DROP_CONNECTION_TABLE_FULL);
	if (address_is_unset(own)) /* the stack answers itself, or routes the packet */
		return reject(plan, reason);
	opening->backend = *own;
	opening->backend_port = UNUSABLE_PORT;
	opening->flags = flags | CONNECTION_HOST_BACKEND | CONNECTION_REFUSED;
	if (address_is_equal(own, &packet->tuple.source)) /* the node's answer to itself has to come back this way */
		opening->flags |= CONNECTION_HAIRPIN;
	if (node)
		opening->node = *node;
	plan->remember = REMEMBER_OPENING;
	reject(plan, reason);
}

/* A packet of no connection. If a workload of another node wrapped it (for this node's own port), the stack's answer goes back through
 * the tunnel's device, where nothing is translated. @param wrapping as it came from another node, or NULL */
static __always_inline void refuse_new(const struct packet *packet, const struct settings *settings,
				       const struct wrapping *wrapping, struct plan *plan, enum outcome reason)
{
	if (wrapping && !wrapping_is_service(wrapping))
		return reject(plan, reason);
	refuse(packet, settings, return_flags(wrapping), wrapping ? &wrapping->node : NULL, plan, reason);
}

/* A packet of a connection that cannot go on. */
static __always_inline void refuse_known(const struct packet *packet, const struct settings *settings,
					 const struct connection *connection, struct plan *plan, enum outcome reason)
{
	__u32 flags = connection->flags;

	flags = flags & CONNECTION_FORWARDED ? 0 : flags & (CONNECTION_VIA_ENTRY | CONNECTION_DIRECT_RETURN);
	refuse(packet, settings, flags, &connection->node, plan, reason);
}
