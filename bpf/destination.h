/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "connection/next_hop.h"
#include "locate.h"
#include "net/route.h"
#include "plan.h"
#include "settings.h"
#include "tunnel/tunnel.h"

/* Finds a packet's next hop, after translation: a plan's EXIT_DESTINATION becomes the exit that leads there. */

/* The connection that caches next hops; NULL: no connection does. */
static __always_inline struct connection *remembering(struct connection *connection, const struct plan *plan)
{
	return plan->remember == REMEMBER_PACKET ? connection : NULL;
}

/* Whether the stack does what a router does with a packet that does not fit. It can send an error to a workload of this node, whose
 * address it knows. If the packet has been given another source, the stack can only fragment it. If the packet has this node's own
 * address, the stack takes it for forged. */
static __always_inline bool stack_can_route(struct __sk_buff *skb, const struct settings *settings, const struct address *source,
					    __u32 fits)
{
	if (bpf_map_lookup_elem(&endpoints, source))
		return true;
	return !is_usable_mtu(skb, fits) || (!must_stay_whole(skb) && !is_local_host(settings, source));
}

/* Where a next hop was found: what a global function returns in place of a pointer. */
enum found_hop {
	NO_HOP,
	HOP_OF_CONNECTION,
	HOP_OF_SCRATCH,
};

static __always_inline enum found_hop where_is(const struct next_hop *hop, const struct connection *connection)
{
	return !hop ? NO_HOP : connection && hop == &connection->next_hop ? HOP_OF_CONNECTION : HOP_OF_SCRATCH;
}

/* Sends the packet out of an uplink by the kernel's routing table, without the kernel's stack. Without an answer of the table (no route,
 * or the node's own address) the stack handles the packet. As in the stack, the MTU of the link counts, not the path MTU that errors
 * have reported. */
static __always_inline const struct next_hop *find_in_network(struct __sk_buff *skb, const struct packet *packet,
							      struct connection *connection, const struct settings *settings,
							      struct plan *plan)
{
	struct scratch *scratch = scratch_get();
	struct bpf_fib_lookup *route;
	enum route_answer answer;

	if (!scratch)
		return NULL;
	route = &scratch->route;
	route_question(route, settings, &packet->tuple.source, &packet->tuple.destination);
	answer = route_ask(skb, route);
	if (answer == ROUTE_KNOWN && length_on_link(skb, packet) > route->mtu_result)
		answer = ROUTE_TOO_NARROW;
	switch (answer) {
	case ROUTE_KNOWN:
		plan->exit = EXIT_NETWORK;
		return next_hop_of_route(route, NEXT_HOP_NETWORK, NULL, connection);
	case ROUTE_WITHOUT_NEIGHBOUR:
		plan->exit = EXIT_NEIGHBOUR;
		return NULL;
	case ROUTE_TOO_NARROW:
		if (!stack_can_route(skb, settings, &tuple_as_key(scratch, &packet->tuple)->source, route->mtu_result)) {
			plan->exit = EXIT_TOO_BIG;
			return NULL;
		}
		/* fallthrough */
	default:
		pass_to_stack(plan);
		return NULL;
	}
}

/* Whether a Service answers a process of this node (decide/own_request.h). Only SCTP is translated here: sockets of other protocols are
 * translated when they connect. */
static __always_inline bool is_answer_to_node(const struct tuple *tuple, const struct connection *connection)
{
	const __u32 answer = CONNECTION_REPLY | CONNECTION_TRANSLATED;

	return tuple->protocol == IPPROTO_SCTP && connection && (connection->flags & answer) == answer;
}

__global enum found_hop find_destination_again(struct __sk_buff *skb, const struct packet *packet, struct connection *connection,
					       struct plan *plan)
{
	const struct settings *settings = settings_get();
	struct scratch *scratch = scratch_get();
	const struct location *location;
	const struct endpoint *endpoint;
	struct tuple *tuple;
	__u32 flags;

	if (!skb || !packet || !settings || !plan || !scratch)
		return NO_HOP;
	connection = remembering(connection, plan);
	tuple = tuple_as_key(scratch, &packet->tuple);
	endpoint = bpf_map_lookup_elem(&endpoints, &tuple->destination);
	if (endpoint) {
		send(plan, EXIT_ENDPOINT, OUTCOME_TO_ENDPOINT);
		return where_is(next_hop_of_endpoint(endpoint, connection), connection);
	}
	location = locate(&tuple->destination);
	flags = location_flags(location);
	if ((flags & LOCATION_LOCAL_HOST) && is_answer_to_node(tuple, connection))
		send(plan, EXIT_OWN, OUTCOME_PASS_TO_STACK);
	else if (flags & LOCATION_LOCAL_HOST)
		route_by_stack(plan);
	else if (location && is_wrapped_for(flags, &tuple->source))
		send_overlay(plan, &location->node, encapsulation_to(flags, &tuple->destination));
	else if ((flags & LOCATION_BLACKHOLE) || ((flags & LOCATION_POOL) && address_is_unset(&location->node)))
		send(plan, EXIT_DROP, OUTCOME_DROP_UNKNOWN_ENDPOINT);
	else
		return where_is(find_in_network(skb, packet, connection, settings, plan), connection);
	return NO_HOP;
}

/* The next hop to a pod of this node, to a workload or host across the tunnel, or to the network. The packets of a connection use the
 * cached next hop while it is valid. @return the next hop, for exits that have one */
static __always_inline const struct next_hop *find_destination(struct __sk_buff *skb, const struct packet *packet,
							       struct connection *connection, struct plan *plan)
{
	const struct connection *known = next_hop_known(remembering(connection, plan));
	const struct scratch *scratch;

	if (known) {
		const struct next_hop *hop = &known->next_hop;

		if (hop->kind == NEXT_HOP_ENDPOINT) {
			send(plan, EXIT_ENDPOINT, OUTCOME_TO_ENDPOINT);
			return hop;
		}
		if (hop->kind == NEXT_HOP_NODE || hop->kind == NEXT_HOP_NODE_IPIP) {
			send_overlay(plan, &known->node, hop->kind == NEXT_HOP_NODE_IPIP ? ENCAPSULATION_IPIP : ENCAPSULATION_VXLAN);
			return hop;
		}
		if (hop->kind == NEXT_HOP_NETWORK && next_hop_has_room(hop, skb, packet, 0)) {
			plan->exit = EXIT_NETWORK;
			return hop;
		}
	}
	switch (find_destination_again(skb, packet, connection, plan)) {
	case HOP_OF_CONNECTION:
		return connection ? &connection->next_hop : NULL;
	case HOP_OF_SCRATCH:
		scratch = scratch_get();
		return scratch ? &scratch->next_hop : NULL;
	default:
		return NULL;
	}
}

/* The next hop to the node that a packet is wrapped for; NULL: it needs the kernel's device.
 * @param fits the bytes that the packet may have at most, where it has more; 0: it fits, or that is not known */
static __always_inline const struct next_hop *find_node(struct __sk_buff *skb, const struct packet *packet, struct connection *remembering,
							const struct settings *settings, const struct plan *plan, __u32 *fits)
{
	const struct wrapping *wrapping = &plan->wrapping;
	const struct address *node = &wrapping->node;
	enum next_hop_kind kind = next_hop_kind_of(wrapping);
	const struct connection *known = next_hop_known(remembering);
	struct scratch *scratch = scratch_get();
	__u32 added = wrapping_adds(skb, settings, wrapping);
	struct bpf_fib_lookup *route;

	if (known && known->next_hop.kind == kind && next_hop_has_room(&known->next_hop, skb, packet, added))
		return &known->next_hop;
	if (!scratch || !is_wrappable(skb, wrapping))
		return NULL;
	route = &scratch->route;
	route_question(route, settings, &settings->node, node);
	route->tot_len = length_on_link(skb, packet) + added;
	switch (route_ask(skb, route)) {
	case ROUTE_KNOWN:
		return is_ipv4(node) ? next_hop_of_route(route, kind, node, remembering) : NULL;
	case ROUTE_TOO_NARROW:
		if (route->mtu_result > tunnel_room(settings, wrapping))
			*fits = route->mtu_result - tunnel_room(settings, wrapping);
		return NULL;
	default:
		return NULL;
	}
}
