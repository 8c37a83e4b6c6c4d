/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../tunnel/own_way.h"
#include "after_stack.h"
#include "follow.h"
#include "open.h"

/* SCTP of the node's own processes to Services (docs/decisions/0039). The kernel calls no program when such a socket connects. So the
 * packets are translated on their way, like those of a workload: when they leave the stack, they are handed to the ingress hook of the
 * tunnel's device, where from_tunnel sends them on. Packets to a Service's address leave the stack by that device, because a routing
 * rule of the agent sends them there (agent/network/own-requests.ts). Packets to node ports leave it by an uplink or by loopback.
 * Answers also reach the stack by the tunnel's device: at any other device the stack would refuse a packet whose source is a Service's
 * address. */

static __always_inline bool is_own_sctp(const struct packet *packet, const struct settings *settings)
{
	return packet->tuple.protocol == IPPROTO_SCTP && is_made_here(packet->skb, settings, &packet->tuple.source);
}

/* Whether the agent's rule sent this packet to the tunnel's device. Packets to workloads of other nodes are wrapped by the device. */
static __always_inline bool is_led(const struct packet *packet, const struct settings *settings)
{
	return is_own_sctp(packet, settings) && !is_workload(&packet->tuple.destination);
}

/* Whether a packet of the node to an address of a node is to be translated. */
__global bool has_port_for_node(const struct tuple *tuple)
{
	const struct settings *settings = settings_get();
	const struct location *location = NULL;
	const struct service *service;

	if (!tuple || !settings)
		return false;
	service = address_service_find(&tuple->destination, tuple->destination_port, tuple->protocol);
	if (!service)
		service = node_port_or_location(&tuple->destination, tuple->destination_port, tuple->protocol, &location);
	return service && is_handled_here(service, settings) && !is_decided_there(service, location_flags(location));
}

/* Whether a packet that leaves by an uplink or by loopback is for a port of a node, or is the answer that a backend in the node's
 * network sends to the node. Addresses of loopback have neither: no workload could answer them. */
static __step int is_own_request(const struct packet *packet, const struct settings *settings)
{
	const struct connection *connection;
	struct scratch *scratch = scratch_get();
	const struct tuple *tuple;

	if (!packet || !settings || !scratch || !is_own_sctp(packet, settings))
		return false;
	tuple = tuple_as_key(scratch, &packet->tuple);
	if (is_loopback(&tuple->source) || is_loopback(&tuple->destination))
		return false;
	connection = live_connection(tuple);
	if (connection)
		return (connection->flags & (connection->flags & CONNECTION_REPLY ? CONNECTION_HAIRPIN : CONNECTION_TRANSLATED)) != 0;
	return packet_may_open(packet) && has_port_for_node(tuple);
}

/* Policies of the node are asked at the interface by which the packets to the backend leave. */
static __always_inline void judge_towards(const struct address *backend)
{
	const struct settings *settings = settings_get(); /* 6.1 takes no argument of a global function as a key */
	struct scratch *scratch = scratch_get();

	if (scratch && settings)
		scratch->interface = is_wrapped_for(location_flags(locate(backend)), &settings->node) ? settings->tunnel_ifindex
											       : settings->uplink_ifindex;
}

/* No policy keeps the node from its own workloads, nor from itself. A backend in the node's network sees the Service in the client's
 * place (CONNECTION_HAIRPIN). So it answers to the Service, and its answer takes the same way back. If the node asks from another of its
 * addresses, the answer would take another way: such a packet is dropped. */
static __always_inline void settle_own_opening(struct plan *plan)
{
	struct scratch *scratch = scratch_get();
	struct opening *opening;

	if (!scratch || plan->remember != REMEMBER_OPENING)
		return;
	opening = &scratch->opening;
	if ((opening->flags & (CONNECTION_HOST_BACKEND | CONNECTION_HAIRPIN)) == CONNECTION_HOST_BACKEND)
		return drop(plan, OUTCOME_DROP_NO_ROUTE);
	if ((opening->flags & CONNECTION_HOST_BACKEND) || is_endpoint(&opening->backend))
		opening->flags |= CONNECTION_NOT_JUDGED;
	else
		judge_towards(&opening->backend);
}

/* A new association of the node. If the Service shares its address with other users, the other ports belong to them. */
__global int decide_new_from_node(struct __sk_buff *skb, struct packet *packet, const struct settings *settings, struct plan *plan)
{
	const struct service *service = NULL;
	const struct tuple *tuple;

	if (!skb || !packet || !settings || !plan)
		return 0;
	tuple = &packet->tuple;
	if (packet_may_open(packet))
		service = service_find(&tuple->destination, tuple->destination_port, tuple->protocol);
	if (may_be_known_soon(skb, packet, settings) || (service && !is_handled_here(service, settings)))
		drop(plan, OUTCOME_DROP_UNRELATED);
	else if (service)
		open_service(skb, packet, settings, service, NULL, plan);
	else if (!decide_unserved(packet, settings, plan))
		open_plain(tuple, plan, 0);
	settle_own_opening(plan);
	return 0;
}

static __always_inline void decide_own_request(struct packet *packet, const struct settings *settings, struct plan *plan)
{
	struct __sk_buff *skb = packet->skb;
	struct connection *connection;

	if (read(packet, HOOK_FROM_NODE) != PARSE_OK)
		return drop(plan, OUTCOME_DROP_FRAGMENT);
	connection = connection_find(packet);
	if (connection) {
		judge_towards(&connection->address);
		return follow(packet, settings, connection, plan);
	}
	decide_new_from_node(skb, packet, settings, plan);
	restore_pointers(packet, skb, NULL);
}
