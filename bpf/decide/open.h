/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "follow.h"
#include "../service/host_requests.h"
#include "../connection/open.h"
#include "../service/source_range.h"

/* How a packet came to this node. */
struct arrival {
	struct address entry;	/* the node that wrapped it; :: when it came from outside or from a workload here */
	__u32 backend;		/* the entry node's choice, 0: the choice is ours */
	__u32 return_flag;	/* CONNECTION_VIA_ENTRY or _DIRECT_RETURN for wrapped service traffic, else 0 */
	bool external;		/* from outside the cluster's own tunnel and workloads */
};

/* A service with a node's tunnel for a backend would wrap what it likes. */
static __always_inline bool may_reach_tunnel(const struct settings *settings, const struct address *destination)
{
	return (settings->flags & SETTINGS_ALLOW_VXLAN_FROM_WORKLOADS) ||
	       !(location_flags(locate(destination)) & (LOCATION_LOCAL_HOST | LOCATION_REMOTE_HOST));
}

/* Judges, records both directions and sends the first packet on its way. */
static __always_inline int open_connection(struct packet *packet, const struct settings *settings,
					   struct opening *opening)
{
	struct tuple flow = translated(packet, &opening->backend, opening->backend_port);
	enum outcome verdict;

	if (is_vxlan(&flow) && !may_reach_tunnel(settings, &flow.destination))
		return drop_flow(packet->skb, OUTCOME_DROP_TUNNEL_FROM_WORKLOAD, &flow);
	opening->policy_revision = revision_to_judge_by(settings);
	verdict = opening->flags & CONNECTION_JUDGED_LATER ? OUTCOME_TO_ENDPOINT : judge(&flow);
	if (verdict != OUTCOME_TO_ENDPOINT)
		return drop_flow(packet->skb, verdict, &flow);
	verdict = connection_open(packet, opening);
	if (verdict != OUTCOME_TO_ENDPOINT)
		return drop_flow(packet->skb, verdict, &flow);
	trace_peer_port(&packet->tuple, opening->peer_port);
	report_opened(&packet->tuple, packet->skb->ifindex);
	if (translate_forward(packet, &opening->backend, opening->backend_port, opening->peer_port, opening->flags))
		return drop(packet->skb, OUTCOME_DROP_MALFORMED);
	if (opening->flags & CONNECTION_VIA_STACK)
		return follow_through_stack(packet->skb, opening->flags);
	return deliver(packet, settings, OUTCOME_TO_NETWORK, NULL);
}

/* The entry node of a connection to a backend elsewhere: remember the choice, wrap the packet as it came. */
static __always_inline int open_forwarded(struct packet *packet, const struct settings *settings,
					  const struct backend *backend, __u32 backend_id)
{
	__u32 return_flag = settings->return_mode == RETURN_DIRECT ? CONNECTION_DIRECT_RETURN : 0;
	struct wrapping wrapping = wrapping_for(&backend->node, forward_kind(return_flag), backend_id);
	enum outcome outcome;

	if (address_is_unset(&wrapping.node)) /* outside the cluster: its replies would not come back through us */
		return drop(packet->skb, OUTCOME_DROP_NO_ROUTE);
	outcome = connection_open_forwarded(packet, backend, backend_id, return_flag);
	if (outcome != OUTCOME_FORWARD_SERVICE)
		return drop(packet->skb, outcome);
	report_opened(&packet->tuple, packet->skb->ifindex);
	return deliver_wrapped(packet->skb, settings, &wrapping, NULL);
}

/* A new connection to a service. */
static __always_inline int open_service(struct packet *packet, const struct settings *settings,
					const struct service *service, const struct arrival *arrival)
{
	bool wrapped = arrival->return_flag;
	__u32 local_only = arrival->external ? SERVICE_EXTERNAL_LOCAL : SERVICE_INTERNAL_LOCAL;
	enum reach reach = wrapped || (service->flags & local_only) ? REACH_LOCAL : REACH_ANY;
	const struct backend *backend = NULL;
	struct opening *opening = opening_draft();
	__u32 id = arrival->backend;

	/* Of what comes wrapped the entry node has asked; here a list may be newer or older. */
	if (!wrapped && !may_use(service, &packet->tuple.source))
		return drop(packet->skb, OUTCOME_DROP_SOURCE_RANGE);
	if (id)
		backend = backend_within_reach(service, id, REACH_LOCAL);
	if (!backend)
		id = choose_backend(service, &packet->tuple.source, reach, &backend);
	trace_chosen(service, id, backend);
	if (!id || !backend) {
		if (reach == REACH_LOCAL && service->backend_count)
			return drop(packet->skb, OUTCOME_DROP_NO_LOCAL_BACKEND);
		return reject_by_stack(packet->skb, OUTCOME_REJECT_NO_BACKEND);
	}
	if (arrival->external && !wrapped && !(backend->flags & BACKEND_LOCAL))
		return open_forwarded(packet, settings, backend, id);
	if (!opening)
		return drop(packet->skb, OUTCOME_DROP_CONNECTION_TABLE_FULL);
	opening->entry = arrival->entry;
	opening->flags = arrival->return_flag;
	opening->backend = backend->address;
	opening->backend_port = backend->port;
	opening->backend_id = id;
	if ((backend->flags & (BACKEND_LOCAL | BACKEND_HOST_NETWORK)) == (BACKEND_LOCAL | BACKEND_HOST_NETWORK))
		opening->flags |= CONNECTION_HOST_BACKEND;
	if (address_is_equal(&backend->address, &packet->tuple.source))
		opening->flags |= CONNECTION_HAIRPIN;
	return open_connection(packet, settings, opening);
}

/* A new connection to an ordinary address. */
static __always_inline int open_plain(struct packet *packet, const struct settings *settings, __u32 flags)
{
	struct opening *opening = opening_draft();

	if (!opening)
		return drop(packet->skb, OUTCOME_DROP_CONNECTION_TABLE_FULL);
	opening->backend = packet->tuple.destination;
	opening->backend_port = packet->tuple.destination_port;
	opening->flags = flags;
	return open_connection(packet, settings, opening);
}

/* The host's stack handles services. What we remember of an earlier connection with these ports goes: the packets after
 * this first one would follow it. */
static __always_inline int leave_to_stack(const struct packet *packet)
{
	connection_forget(&packet->tuple);
	return route_by_stack(packet->skb);
}

/* The service that a packet would open a connection to; NULL: none. */
static __always_inline const struct service *service_opened_by(const struct packet *packet)
{
	const struct service *service;

	if (!packet_may_open(packet))
		return NULL;
	service = service_find(&packet->tuple.destination, packet->tuple.destination_port, packet->tuple.protocol);
	return service && !is_answer_to_host(&packet->tuple) ? service : NULL;
}

/* What came from the network or the tunnel and belongs to no connection we know: a service, a workload, or the
 * node itself. Apart: its callers' stack is full. */
static __noinline int open_from_network(struct packet *packet, const struct settings *settings,
					const struct arrival *arrival)
{
	const struct service *service;

	if (!packet || !settings || !arrival)
		return TC_ACT_SHOT;
	service = service_opened_by(packet);
	if (service) {
		/* What a node wrapped that still handles services itself is handled as it expects. */
		if (!arrival->return_flag && !is_handled_here(service, settings))
			return leave_to_stack(packet);
		return open_service(packet, settings, service, arrival);
	}
	if (arrival->return_flag) /* wrapped for a service that is gone from this node */
		return drop(packet->skb, OUTCOME_DROP_NO_LOCAL_BACKEND);
	if (bpf_map_lookup_elem(&endpoints, &packet->tuple.destination)) {
		if (is_left_to_host(settings)) /* to_workload judges and remembers it */
			return route_by_stack(packet->skb);
		return open_plain(packet, settings, 0);
	}
	if (location_flags(locate(&packet->tuple.destination)) & LOCATION_BLACKHOLE)
		return drop(packet->skb, OUTCOME_DROP_UNKNOWN_ENDPOINT);
	return route_by_stack(packet->skb);
}
