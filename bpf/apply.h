/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "locate.h"
#include "tunnel/vxlan.h"

static __always_inline int write_macs(struct __sk_buff *skb, const struct way *way)
{
	struct macs *macs = bytes_at(skb, 0, sizeof(*macs));

	if (!macs)
		return -1;
	*macs = *way_macs(way);
	return 0;
}

/* Into a pod of this node, straight to its side of the veth pair: no host stack, no second hook. */
static __always_inline int send_to_endpoint(struct __sk_buff *skb, const struct way *way)
{
	if (!way || write_macs(skb, way))
		return drop(skb, OUTCOME_DROP_MALFORMED);
	return finish(skb, OUTCOME_TO_ENDPOINT, bpf_redirect_peer(way->interface, 0));
}

static __always_inline int send_to_network(struct __sk_buff *skb, const struct way *way, enum outcome outcome)
{
	if (!way || write_macs(skb, way))
		return drop(skb, OUTCOME_DROP_MALFORMED);
	skb->mark = MARK_FORWARDED;
	return finish(skb, outcome, bpf_redirect(way->interface, 0));
}

static __always_inline enum outcome wrapped_outcome(enum tunnel_kind kind)
{
	if (kind == TUNNEL_OVERLAY)
		return OUTCOME_TO_OVERLAY;
	return kind == TUNNEL_RETURN ? OUTCOME_RETURN_VIA_ENTRY : OUTCOME_FORWARD_SERVICE;
}

/* Wrapped by the kernel's own device, which fragments what is too large and asks for neighbours. */
static __always_inline int wrap_by_device(struct __sk_buff *skb, const struct settings *settings,
					  const struct wrapping *wrapping)
{
	struct scratch *scratch = scratch_get();
	struct bpf_tunnel_key *key;

	if (!scratch)
		return -1;
	key = &scratch->key;
	__builtin_memset(key, 0, sizeof(*key));
	key->tunnel_ttl = 64;
	key->remote_ipv4 = bpf_ntohl(address_to_ipv4(&wrapping->node));
	key->tunnel_id = wrapping->vni;
	if (bpf_skb_set_tunnel_key(skb, key, sizeof(*key), BPF_F_ZERO_CSUM_TX))
		return -1;
	if (wrapping->group && bpf_skb_set_tunnel_opt(skb, (void *)&wrapping->group, sizeof(wrapping->group)))
		return -1;
	skb->mark = MARK_FORWARDED;
	return bpf_redirect(settings->tunnel_ifindex, 0);
}

/* Wrapped in VXLAN, to another node. What the entry node chose travels along (wrapping.h), so that both nodes speak of
 * the same backend. `connection`, where it is not NULL, remembers the way. */
static __noinline int deliver_wrapped(struct __sk_buff *skb, const struct settings *settings,
				      const struct wrapping *wrapping, struct connection *connection)
{
	int action;

	if (!settings || !wrapping || !settings->tunnel_ifindex)
		return drop(skb, OUTCOME_DROP_NO_ROUTE);
	action = wrap(skb, settings, wrapping, connection);
	if (action < 0)
		action = wrap_by_device(skb, settings, wrapping);
	if (action < 0)
		return drop(skb, OUTCOME_DROP_NO_ROUTE);
	if (action == TC_ACT_SHOT)
		return drop(skb, OUTCOME_DROP_MALFORMED);
	trace_wrapped(wrapping);
	return finish(skb, wrapped_outcome(wrapped_kind(wrapping)), action);
}

static __always_inline int decrement_ttl(struct __sk_buff *skb)
{
	struct iphdr *ip = ip_header(skb);
	__u32 check;

	if (!ip && !bpf_skb_pull_data(skb, IP_OFFSET + sizeof(*ip)))
		ip = ip_header(skb);
	if (!ip || ip->ttl <= 1)
		return -1;
	check = ip->check + bpf_htons(0x0100); /* RFC 1141: the TTL is the high byte of its word */
	ip->check = check + (check >= 0xffff);
	ip->ttl--;
	return 0;
}

/* Out of an uplink by the kernel's routing table, without its stack. What the table does not answer (no route, our
 * own address, a TTL that ends here) is the stack's to handle. */
static __always_inline int deliver_to_network(struct packet *packet, const struct settings *settings, enum outcome outcome,
					      struct connection *connection)
{
	struct bpf_fib_lookup *route = route_question(settings, &packet->tuple.source, &packet->tuple.destination);
	struct __sk_buff *skb = packet->skb;
	long result;

	if (!route)
		return pass_to_stack(skb);
	result = bpf_fib_lookup(skb, route, sizeof(*route), 0);
	if ((result != BPF_FIB_LKUP_RET_SUCCESS && result != BPF_FIB_LKUP_RET_NO_NEIGH) || decrement_ttl(skb))
		return pass_to_stack(skb);
	if (result == BPF_FIB_LKUP_RET_NO_NEIGH) {
		struct bpf_redir_neigh next_hop = {.nh_family = AF_INET, .ipv4_nh = route->ipv4_dst};

		skb->mark = MARK_FORWARDED;
		return finish(skb, outcome, bpf_redirect_neigh(route->ifindex, &next_hop, sizeof(next_hop), 0));
	}
	return send_to_network(skb, way_of_route(route, WAY_TO_NETWORK, NULL, connection), outcome);
}

static __always_inline int deliver_to_overlay(struct __sk_buff *skb, const struct settings *settings,
					      const struct address *node, struct connection *connection)
{
	struct wrapping wrapping = wrapping_for(node, TUNNEL_OVERLAY, 0);

	return deliver_wrapped(skb, settings, &wrapping, connection);
}

/* Another node's workloads are reached wrapped where their pool says so. So is the node itself by workloads here, since it
 * believes their addresses no other way; clients that happen to be nodes get plain replies. */
static __always_inline bool is_wrapped_for(__u32 destination_flags, const struct address *source)
{
	if (!(destination_flags & LOCATION_ENCAPSULATED))
		return false;
	return !(destination_flags & LOCATION_REMOTE_HOST) || bpf_map_lookup_elem(&endpoints, source);
}

/* Found out anew. */
static __always_inline int deliver_afresh(struct packet *packet, const struct settings *settings, enum outcome network_outcome,
				     struct connection *connection)
{
	const struct endpoint *endpoint = bpf_map_lookup_elem(&endpoints, &packet->tuple.destination);
	const struct location *location;
	__u32 flags;

	if (endpoint)
		return send_to_endpoint(packet->skb, way_of_endpoint(endpoint, connection));
	location = locate(&packet->tuple.destination);
	flags = location_flags(location);
	if (flags & LOCATION_LOCAL_HOST)
		return route_by_stack(packet->skb);
	if (location && is_wrapped_for(flags, &packet->tuple.source))
		return deliver_to_overlay(packet->skb, settings, &location->node, connection);
	if ((flags & LOCATION_BLACKHOLE) ||
	    ((flags & LOCATION_POOL) && address_is_unset(&location->node)))
		return drop(packet->skb, OUTCOME_DROP_UNKNOWN_ENDPOINT);
	return deliver_to_network(packet, settings, network_outcome, connection);
}

/* To wherever the packet's destination is: a pod here, a workload or host across the tunnel, or the network. The packets of
 * a connection that is known go where the one before went. */
static __noinline int deliver(struct packet *packet, const struct settings *settings, enum outcome network_outcome,
				   struct connection *connection)
{
	const struct connection *known = way_known(connection);
	struct __sk_buff *skb = packet->skb;

	if (known) {
		const struct way *way = &known->way;

		if (way->kind == WAY_TO_ENDPOINT)
			return send_to_endpoint(skb, way);
		if (way->kind == WAY_TO_NODE)
			return deliver_to_overlay(skb, settings, &known->node, connection);
		if (way_has_room(way, skb, 0) && !decrement_ttl(skb))
			return send_to_network(skb, way, network_outcome);
	}
	return deliver_afresh(packet, settings, network_outcome, connection);
}
