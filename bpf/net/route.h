/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../scratch.h"

#define AF_INET 2 /* sys/socket.h is not for BPF */

/* What the kernel's routing table is to be asked; NULL never, but for the verifier. */
static __always_inline struct bpf_fib_lookup *route_question(const struct settings *settings, const struct address *source,
							     const struct address *destination)
{
	struct scratch *scratch = scratch_get();
	struct bpf_fib_lookup *route;

	if (!scratch)
		return NULL;
	route = &scratch->route;
	__builtin_memset(route, 0, sizeof(*route));
	route->family = AF_INET;
	route->ifindex = settings->uplink_ifindex;
	route->ipv4_src = address_to_ipv4(source);
	route->ipv4_dst = address_to_ipv4(destination);
	return route;
}
