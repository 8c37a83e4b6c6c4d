/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../connection/open.h"
#include "../connection/place.h"
#include "../service/affinity.h"
#include "../service/host_requests.h"
#include "../service/return.h"
#include "../service/source_range.h"
#include "../settings.h"
#include "../tunnel/tunnel.h"
#include "egress.h"
#include "plain.h"
#include "taking_over.h"
#include "to_host.h"
#include "unserved.h"

/* Packets of no known connection: which connection they would open. */

/* Whether a packet may belong to a TCP connection that this node does not know and whose backend it can find: a connection that another
 * node has forwarded; one that entered the cluster at another node, which is lost or no longer receives its packets (Maglev); or one
 * that this node has forwarded and whose entry made room. Only the backend's node knows whether the connection exists. Packets of the
 * node itself have no entry either. Packets of pods enter at no other node and are not forwarded. */
static __always_inline bool may_be_unknown_here(const struct packet *packet, const struct settings *settings, const struct wrapping *wrapping)
{
	if (packet->tuple.protocol != IPPROTO_TCP || (packet->tcp_flags & TCP_SYN))
		return false;
	if (wrapping)
		return wrapping_is_service(wrapping);
	return packet->hook != HOOK_FROM_WORKLOAD && !is_left_to_host(settings) &&
	       ((settings->flags & SETTINGS_MAGLEV) || has_made_room());
}

/* Whether the packet may belong to such a connection to this service. */
static __always_inline bool may_go_on(const struct service *service, const struct wrapping *wrapping)
{
	return wrapping || service->table_size || has_made_room();
}

/* Whether the packet is an answer for the host's stack, although a service has its port. */
static __always_inline bool was_asked_for(const struct tuple *tuple)
{
	struct scratch *scratch = scratch_get();

	return tuple->protocol == IPPROTO_UDP && scratch && is_answer_to_host(tuple_as_key(scratch, tuple));
}

/* Whether a packet is for a workload of this node. For a packet from a workload the location of its destination is needed in any case. */
static __always_inline bool is_for_workload(const struct packet *packet, const struct settings *settings)
{
	const struct address *destination = &packet->tuple.destination;

	return packet->hook != HOOK_FROM_WORKLOAD && !address_is_equal(destination, &settings->node) && is_endpoint(destination);
}

/* The service to which a packet would open a connection; NULL: none. Then the location of the packet's destination is in `location`,
 * unless `is_for_workload` answered already. @param wrapping as it came from another node, or NULL */
static __always_inline const struct service *service_opened_by(const struct packet *packet, const struct settings *settings,
							       const struct wrapping *wrapping, struct plan *plan,
							       const struct location **location, bool *for_workload)
{
	const struct tuple *tuple = &packet->tuple;
	const struct service *service = NULL;
	bool opens = packet_may_open(packet);
	bool asks = opens || may_be_unknown_here(packet, settings, wrapping);

	if (asks)
		service = address_service_find(&tuple->destination, tuple->destination_port, tuple->protocol);
	if (!service) {
		*for_workload = is_for_workload(packet, settings);
		if (*for_workload)
			return NULL;
		if (!asks) {
			*location = locate(&tuple->destination);
			return NULL;
		}
		service = node_port_or_location(&tuple->destination, tuple->destination_port, tuple->protocol, location);
		if (packet->hook == HOOK_FROM_WORKLOAD && is_decided_there(service, location_flags(*location)))
			return NULL;
	}
	if (!service || (opens ? !was_asked_for(tuple) : may_go_on(service, wrapping)))
		return service;
	if (opens)
		plan->remember = REMEMBER_HOST_ANSWER;
	*for_workload = is_for_workload(packet, settings);
	*location = locate(&tuple->destination);
	return NULL;
}

/* From outside the cluster: neither through the tunnel nor from a workload. @param wrapping as it came from another node, or NULL */
static __always_inline bool is_from_outside(const struct packet *packet, const struct wrapping *wrapping)
{
	return wrapping ? wrapping_is_service(wrapping) : !is_from_here(packet);
}

/* At the entry node, for a backend on another node: remembers the choice and wraps the packet as it came. */
static __always_inline void open_forwarded(bool direct, struct opening *opening, const struct backend *backend,
					   struct plan *plan)
{
	opening->flags = CONNECTION_FORWARDED | (direct ? CONNECTION_DIRECT_RETURN : 0);
	opening->node = backend->node;
	send_wrapped(plan, &backend->node, forward_kind(opening->flags), opening->backend_id);
	if (address_is_unset(&backend->node)) /* a workload whose node is not known */
		drop(plan, OUTCOME_DROP_NO_ROUTE);
}

/* A backend on this node, or one that the sender reaches with its own address. */
static __always_inline void open_to_backend(const struct packet *packet, const struct wrapping *wrapping,
					    struct opening *opening, const struct backend *backend, struct plan *plan)
{
	if (wrapping)
		opening->node = wrapping->node;
	opening->flags = return_flags(wrapping);
	if ((backend->flags & (BACKEND_LOCAL | BACKEND_HOST_NETWORK)) == (BACKEND_LOCAL | BACKEND_HOST_NETWORK))
		opening->flags |= CONNECTION_HOST_BACKEND;
	if (address_is_equal(&backend->address, &packet->tuple.source))
		opening->flags |= CONNECTION_HAIRPIN;
	send(plan, EXIT_DESTINATION, OUTCOME_TO_NETWORK);
}

/* A new connection to a service. @param wrapping as it came from another node, or NULL */
static __always_inline void open_service(struct __sk_buff *skb, const struct packet *packet, const struct settings *settings,
					 const struct service *service, const struct wrapping *wrapping, struct plan *plan)
{
	bool external = is_from_outside(packet, wrapping), wrapped = wrapping && external;
	/* Pods of other nodes that use a port of this node are clients of this node. */
	__u32 local_only = external || wrapping ? SERVICE_EXTERNAL_LOCAL : SERVICE_INTERNAL_LOCAL;
	enum reach reach = wrapped || (service->flags & local_only) ? REACH_LOCAL : REACH_ANY;
	__u32 id = wrapped ? wrapping->backend : 0; /* the entry node's choice */
	const struct backend *backend = NULL;
	struct opening *opening;
	__u32 list = 0;

	if (counts_services(settings) && packet_may_open(packet))
		plan->service = service->backend_list;
	/* The entry node has chosen a backend that the list of this node may not have yet, or no longer has. */
	if (!wrapped && !may_use(service, &packet->tuple.source))
		return drop(plan, OUTCOME_DROP_SOURCE_RANGE);
	if (id)
		backend = backend_within_reach(service, id, REACH_LOCAL);
	if (!backend) {
		id = choose_backend(service, chosen_for(packet, service), &packet->tuple.source, reach, &backend);
		list = affine_list(service);
	}
	trace_chosen(service, id, backend);
	/* Every node finds the backend of such a connection, and only the backend's knows whether the connection exists. */
	if (!packet_may_open(packet) &&
	    (wrapped || (backend && ((backend->flags & BACKEND_LOCAL) || address_is_unset(&backend->node)))))
		return refuse_new(packet, settings, wrapping, plan, OUTCOME_REJECT_GONE);
	if (!id || !backend) {
		if (reach == REACH_LOCAL && service->backend_count)
			return drop(plan, OUTCOME_DROP_NO_LOCAL_BACKEND);
		return refuse_new(packet, settings, wrapping, plan, OUTCOME_REJECT_NO_BACKEND);
	}
	opening = begin_opening(plan);
	if (!opening)
		return;
	opening->backend = backend->address;
	opening->backend_port = backend->port;
	opening->backend_id = id;
	opening->affine_list = list;
	opening->service = counts_services(settings) ? service->backend_list : 0;
	if (!wrapped && is_outside(backend) && open_outside(skb, packet, settings, external, opening, plan))
		return;
	if (external && !wrapped && !(backend->flags & BACKEND_LOCAL))
		return open_forwarded(returns_directly(settings, service, &packet->tuple.source), opening, backend, plan);
	open_to_backend(packet, wrapping, opening, backend, plan);
}

/* The host's stack handles services. Later packets must not follow an earlier connection with the same ports, so that connection is
 * forgotten. */
static __always_inline void leave_to_stack(struct plan *plan)
{
	plan->remember = FORGET_CONNECTION;
	route_by_stack(plan);
}

/* A packet from the network or the tunnel: to a service, a workload, or the node itself. @param wrapping as it came from another node,
 * or NULL */
__global int decide_new_from_network(struct __sk_buff *skb, struct packet *packet, const struct settings *settings,
				     const struct wrapping *wrapping, struct plan *plan)
{
	bool for_service = wrapping && wrapping_is_service(wrapping), for_workload = false;
	const struct location *location = NULL;
	const struct service *service;

	if (!skb || !packet || !settings || !plan)
		return 0;
	if (may_be_known_soon(skb, packet, settings)) {
		drop(plan, OUTCOME_DROP_UNRELATED);
		return 0;
	}
	service = service_opened_by(packet, settings, wrapping, plan, &location, &for_workload);
	if (service) {
		/* A node that still handles services itself has wrapped the packet. It is handled as that node expects. */
		if (!for_service && !is_handled_here(service, settings))
			leave_to_stack(plan);
		else
			open_service(skb, packet, settings, service, wrapping, plan);
	} else if (for_service) { /* that is gone from this node */
		drop(plan, OUTCOME_DROP_NO_LOCAL_BACKEND);
	} else if (for_workload) {
		if (is_left_to_host(settings)) /* to_workload judges and remembers it */
			route_by_stack(plan);
		else
			open_plain(&packet->tuple, plan, 0);
	} else if (wrapping && open_as_gateway(skb, packet, settings, location_flags(location), plan)) {
		return 0;
	} else if (wrapping || !may_be_cluster_address(location_flags(location)) ||
		   !decide_unserved(packet, settings, plan)) {
		if (location_flags(location) & LOCATION_BLACKHOLE)
			drop(plan, OUTCOME_DROP_UNKNOWN_ENDPOINT);
		else
			decide_to_host(packet, settings, location_flags(location), plan);
	}
	return 0;
}

static __always_inline void open_from_network(struct packet *packet, const struct settings *settings, const struct wrapping *wrapping,
					      struct plan *plan)
{
	struct __sk_buff *skb = packet->skb;

	decide_new_from_network(skb, packet, settings, wrapping, plan);
	restore_pointers(packet, skb, NULL);
}
