/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "after_stack.h"
#include "open.h"

/* Connections that leave the cluster from a pool with natOutgoing get an address of this node as their source: that of the uplink by
 * which they leave. */

/* @param to the flags of the destination's location */
static __always_inline bool is_outgoing(const struct tuple *tuple, __u32 to)
{
	return is_outside_cluster(&tuple->destination, to) && (location_flags(locate(&tuple->source)) & LOCATION_NAT_OUTGOING);
}

/* A new connection of a workload to an address that no service has. If the programs find no route, the packet goes to the stack as the
 * workload sent it: the stack rejects it, or knows a route that the programs do not see (masquerade_after_stack). */
static __always_inline void open_to_network(struct __sk_buff *skb, const struct tuple *tuple, const struct settings *settings, __u32 to,
					    struct plan *plan)
{
	int how = has_egress(settings) ? find_egress(&tuple->source, &tuple->destination) : EGRESS_PLAIN;
	bool outgoing = how == EGRESS_HERE || (how == EGRESS_PLAIN && is_outgoing(tuple, to));
	__u32 interface = outgoing ? interface_towards(skb, &tuple->source, &tuple->destination) : 0;
	struct scratch *scratch = scratch_get();

	open_plain(tuple, plan, !interface && (outgoing || is_left_to_host(settings)) ? CONNECTION_VIA_STACK : 0);
	if (!scratch || (how != EGRESS_PLAIN && open_by_egress(how, &scratch->opening, plan)))
		return;
	if (interface)
		open_masqueraded(settings, interface, 0, &scratch->opening, plan);
}

/* A workload's packet that the stack has routed out of the cluster: kube-proxy has chosen a backend outside, or only the stack knew the
 * route. The packet is judged here too: the workload's next packets may find this connection before they reach the stack. @return false:
 * it is no such packet */
static __step int masquerade_after_stack(struct packet *packet, const struct settings *settings, struct plan *plan)
{
	struct scratch *scratch = scratch_get();
	struct connection *connection;
	int how;

	if (!packet || !settings || !plan || !scratch || !packet->skb->ingress_ifindex)
		return false;
	how = find_egress(&packet->tuple.source, &packet->tuple.destination);
	if (how == EGRESS_PLAIN && !is_outgoing(&packet->tuple, location_flags(locate(&packet->tuple.destination))))
		return false;
	connection = connection_find(packet);
	if (connection && (connection->flags & CONNECTION_REPLY)) /* to a client that knows the workload's own address */
		return false;
	/* The stack does not know gateways, and nothing proves the source of another node's workload here. */
	if (how > EGRESS_HERE || (how == EGRESS_HERE && !sender_before_stack(packet->skb))) {
		drop(plan, OUTCOME_DROP_NO_EGRESS_GATEWAY);
		return true;
	}
	if (connection && (connection->flags & CONNECTION_MASQUERADED)) {
		along(packet, connection, plan);
	} else if (packet->is_answer) { /* there is nothing in it that could stand for its flow */
		drop(plan, OUTCOME_DROP_UNRELATED);
		return true;
	} else {
		find_egress(&packet->tuple.source, &packet->tuple.destination);
		open_plain(&packet->tuple, plan, CONNECTION_VIA_STACK);
		scratch->opening.node = scratch->egress;
		open_masqueraded(settings, packet->skb->ifindex, CONNECTION_VIA_STACK, &scratch->opening, plan);
		if (plan->exit == EXIT_DROP)
			return true;
	}
	send(plan, EXIT_PASS, OUTCOME_FORWARD_EXTERNAL);
	return true;
}
