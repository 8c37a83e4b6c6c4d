/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "locate.h"
#include "vxlan.h"

/* Into a pod of this node, straight to its side of the veth pair: no host stack, no second hook. */
static __always_inline int deliver_to_endpoint(struct __sk_buff *skb, const struct endpoint *endpoint)
{
	__u8 macs[12];

	__builtin_memcpy(macs, endpoint->mac, 6);
	__builtin_memcpy(macs + 6, endpoint->host_mac, 6);
	if (bpf_skb_store_bytes(skb, 0, macs, sizeof(macs), 0))
		return drop(skb, OUTCOME_DROP_MALFORMED);
	return finish(skb, OUTCOME_TO_ENDPOINT, bpf_redirect_peer(endpoint->ifindex, 0));
}

static __always_inline enum outcome wrapped_outcome(enum tunnel_kind kind)
{
	if (kind == TUNNEL_OVERLAY)
		return OUTCOME_TO_OVERLAY;
	return kind == TUNNEL_RETURN ? OUTCOME_RETURN_VIA_ENTRY : OUTCOME_FORWARD_SERVICE;
}

/* Wrapped by the kernel's own device, which fragments what is too large and asks for neighbours. */
static __always_inline int wrap_by_device(struct __sk_buff *skb, const struct settings *settings,
					  const struct address *node, enum tunnel_kind kind, __u32 backend)
{
	struct scratch *scratch = scratch_get();
	__u32 group = wrapping_group(backend);
	struct bpf_tunnel_key *key;

	if (!scratch)
		return -1;
	key = &scratch->key;
	__builtin_memset(key, 0, sizeof(*key));
	key->tunnel_ttl = 64;
	key->remote_ipv4 = bpf_ntohl(address_to_ipv4(node));
	key->tunnel_id = wrapping_vni(kind, backend);
	if (bpf_skb_set_tunnel_key(skb, key, sizeof(*key), BPF_F_ZERO_CSUM_TX))
		return -1;
	if (group && bpf_skb_set_tunnel_opt(skb, &group, sizeof(group)))
		return -1;
	skb->mark = MARK_FORWARDED;
	return bpf_redirect(settings->tunnel_ifindex, 0);
}

/* Wrapped in VXLAN, to another node. What the entry node chose travels along (wrapping.h), so that both nodes speak of
 * the same backend. */
static __noinline int deliver_wrapped(struct __sk_buff *skb, const struct settings *settings,
				      const struct address *node, enum tunnel_kind kind, __u32 backend)
{
	int action;

	if (!settings || !node || !settings->tunnel_ifindex)
		return drop(skb, OUTCOME_DROP_NO_ROUTE);
	action = wrap(skb, settings, node, kind, backend);
	if (action < 0)
		action = wrap_by_device(skb, settings, node, kind, backend);
	if (action < 0)
		return drop(skb, OUTCOME_DROP_NO_ROUTE);
	trace_wrapped(node, kind, backend);
	return finish(skb, wrapped_outcome(kind), action);
}

static __always_inline struct iphdr *ip_header(struct __sk_buff *skb)
{
	struct iphdr *ip = (void *)(long)skb->data + IP_OFFSET;

	return (void *)(ip + 1) > (void *)(long)skb->data_end ? NULL : ip;
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
static __always_inline int deliver_to_network(struct packet *packet, const struct settings *settings, enum outcome outcome)
{
	struct bpf_fib_lookup *route = route_question(settings, &packet->tuple.source, &packet->tuple.destination);
	struct __sk_buff *skb = packet->skb;
	__u8 macs[12];
	long result;

	if (!route)
		return pass_to_stack(skb);
	result = bpf_fib_lookup(skb, route, sizeof(*route), 0);
	if ((result != BPF_FIB_LKUP_RET_SUCCESS && result != BPF_FIB_LKUP_RET_NO_NEIGH) || decrement_ttl(skb))
		return pass_to_stack(skb);
	skb->mark = MARK_FORWARDED;
	if (result == BPF_FIB_LKUP_RET_NO_NEIGH) {
		struct bpf_redir_neigh next_hop = {.nh_family = AF_INET, .ipv4_nh = route->ipv4_dst};

		return finish(skb, outcome, bpf_redirect_neigh(route->ifindex, &next_hop, sizeof(next_hop), 0));
	}
	__builtin_memcpy(macs, route->dmac, 6);
	__builtin_memcpy(macs + 6, route->smac, 6);
	if (bpf_skb_store_bytes(skb, 0, macs, sizeof(macs), 0))
		return drop(skb, OUTCOME_DROP_MALFORMED);
	return finish(skb, outcome, bpf_redirect(route->ifindex, 0));
}

/* To wherever the packet's destination is: a pod here, a workload or host across the tunnel, or the network. */
static __noinline int deliver(struct packet *packet, const struct settings *settings, enum outcome network_outcome)
{
	const struct endpoint *endpoint = bpf_map_lookup_elem(&endpoints, &packet->tuple.destination);
	const struct location *location;
	__u32 flags;

	if (endpoint)
		return deliver_to_endpoint(packet->skb, endpoint);
	location = locate(&packet->tuple.destination);
	flags = location_flags(location);
	if (flags & LOCATION_LOCAL_HOST)
		return route_by_stack(packet->skb);
	if (location && (flags & LOCATION_ENCAPSULATED)) {
		struct address node = location->node;

		return deliver_wrapped(packet->skb, settings, &node, TUNNEL_OVERLAY, 0);
	}
	if ((flags & LOCATION_BLACKHOLE) ||
	    ((flags & LOCATION_POOL) && address_is_unset(&location->node)))
		return drop(packet->skb, OUTCOME_DROP_UNKNOWN_ENDPOINT);
	return deliver_to_network(packet, settings, network_outcome);
}
