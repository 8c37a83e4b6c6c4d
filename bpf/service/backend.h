/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "choose.h"
#include "source_range.h"

/* What a connection depends on. */

/* Whether the pod or node behind a backend that no service has any more still exists. A backend outside the cluster is assumed to exist. */
static __always_inline bool lives_without_service(const struct connection *connection)
{
	const struct address *address = &connection->address;
	__u32 flags = location_flags(locate(address));

	if ((connection->flags & CONNECTION_FORWARDED) &&
	    !(location_flags(locate(&connection->node)) & LOCATION_REMOTE_HOST))
		return false;
	return !(flags & LOCATION_POOL) || (flags & LOCATION_WORKLOAD) || is_endpoint(address);
}

/* Whether a service was added at the destination of a connection that began without one. Packets that may open a connection belong to
 * the service from then on (kube-proxy removes such UDP flows, too). */
__global bool service_was_added(const struct tuple *tuple, const struct connection *connection)
{
	const struct location *location;
	const struct service *service;

	if (!tuple || !connection || connection->backend ||
	    (connection->flags & (CONNECTION_REPLY | CONNECTION_FORWARDED | CONNECTION_JUDGED_LATER)))
		return false;
	if (address_service_find(&tuple->destination, tuple->destination_port, tuple->protocol))
		return true;
	service = node_port_or_location(&tuple->destination, tuple->destination_port, tuple->protocol, &location);
	return service && !is_decided_there(service, location_flags(location));
}

/* Whether a connection's packets must no longer go to its backend. A connection of TCP or SCTP depends on the pod, not on the service,
 * which may be deleted or no longer select it (as with kube-proxy). A datagram has no connection to lose: it goes where
 * the service of its destination would send it now. Not asked for every packet: see connection/next_hop.h. */
__global bool backend_is_gone(const struct tuple *tuple, const struct connection *connection)
{
	const struct service *service;
	__u32 id;

	if (!tuple || !connection)
		return false;
	id = connection->backend;
	if (!id || (connection->flags & CONNECTION_REPLY))
		return false;
	if (has_handshake(tuple->protocol))
		return !bpf_map_lookup_elem(&backends, &id) && !lives_without_service(connection);
	service = service_find(&tuple->destination, tuple->destination_port, tuple->protocol);
	return !service || !is_member(service, id) || !may_use(service, &tuple->source);
}
