/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../shared/settings.h"
#include "packet.h"

/* The kernel's routing table and its neighbours. */

/* sys/socket.h is not for BPF */
#define AF_INET 2
#define AF_INET6 10

/* Fills in the question for the kernel's routing table. */
static __always_inline void route_question(struct bpf_fib_lookup *route, const struct settings *settings,
					   const struct address *source, const struct address *destination)
{
	__builtin_memset(route, 0, sizeof(*route));
	route->ifindex = settings->uplink_ifindex;
	if (!is_ipv4(destination)) {
		route->family = AF_INET6;
		__builtin_memcpy(route->ipv6_src, source, sizeof(*source));
		__builtin_memcpy(route->ipv6_dst, destination, sizeof(*destination));
		return;
	}
	route->family = AF_INET;
	route->ipv4_src = address_to_ipv4(source);
	route->ipv4_dst = address_to_ipv4(destination);
}

enum route_answer {
	ROUTE_KNOWN,
	ROUTE_WITHOUT_NEIGHBOUR, /* the hardware address of the next hop is not known yet */
	ROUTE_TOO_NARROW,	 /* the packet does not fit: `mtu_result` bytes do */
	ROUTE_UNKNOWN,		 /* no route, our own address: the stack's to handle */
};

static __always_inline enum route_answer route_ask(struct __sk_buff *skb, struct bpf_fib_lookup *route)
{
	long result = bpf_fib_lookup(skb, route, sizeof(*route), 0);

	if (result == BPF_FIB_LKUP_RET_SUCCESS)
		return ROUTE_KNOWN;
	if (result == BPF_FIB_LKUP_RET_FRAG_NEEDED)
		return ROUTE_TOO_NARROW;
	return result == BPF_FIB_LKUP_RET_NO_NEIGH ? ROUTE_WITHOUT_NEIGHBOUR : ROUTE_UNKNOWN;
}

/* Whether the answer leads straight to `address`, not through a router. */
static __always_inline bool route_is_straight_to(const struct bpf_fib_lookup *route, const struct address *address)
{
	if (route->family == AF_INET)
		return route->ipv4_dst == address_to_ipv4(address);
	return address_is_equal((const struct address *)route->ipv6_dst, address);
}

/* Makes the kernel resolve the next hop's hardware address. @return the action */
static __always_inline int redirect_to_neighbour(const struct bpf_fib_lookup *route)
{
	struct bpf_redir_neigh next_hop = {.nh_family = route->family};

	if (route->family == AF_INET)
		next_hop.ipv4_nh = route->ipv4_dst;
	else
		__builtin_memcpy(next_hop.ipv6_nh, route->ipv6_dst, sizeof(next_hop.ipv6_nh));
	return bpf_redirect_neigh(route->ifindex, &next_hop, sizeof(next_hop), 0);
}
