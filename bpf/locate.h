/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "maps/workloads.h"
#include "net/address.h"
#include "shared/settings.h"

/* What is known of an address; NULL: it is outside the cluster, and no policy tells it from other addresses. */
static __always_inline const struct location *locate(const struct address *address)
{
	struct prefix key = {.prefix_length = 128, .address = *address};

	return bpf_map_lookup_elem(&locations, &key);
}

/* Whether the address belongs to a workload on this node. By a copy of the address: 6.1 takes no argument of a global function as a key. */
static __always_inline bool is_endpoint(const struct address *address)
{
	struct address key = *address;

	return bpf_map_lookup_elem(&endpoints, &key);
}

static __always_inline __u32 location_flags(const struct location *location)
{
	return location ? location->flags : 0;
}

/* The workload's address in the family of `other`; ::, if it has none. */
static __always_inline const struct address *workload_address(const struct workload *workload, const struct address *other)
{
	return is_ipv4(other) ? &workload->ipv4 : &workload->ipv6;
}

/* Whether no host has the address, and the packet must not go to the network either. */
__global bool is_nowhere(const struct address *address)
{
	return !address || (location_flags(locate(address)) & LOCATION_BLACKHOLE);
}

static __always_inline bool is_workload(const struct address *address)
{
	return bpf_map_lookup_elem(&endpoints, address) || (location_flags(locate(address)) & LOCATION_POOL);
}

/* Whether packets to the address may travel unwrapped: it is neither on this node nor behind the tunnel. */
static __noinline bool is_plainly_reached(const struct address *address)
{
	const struct location *location;
	__u32 flags;

	if (!address || bpf_map_lookup_elem(&endpoints, address))
		return false;
	location = locate(address);
	flags = location_flags(location);
	if (flags & LOCATION_LOCAL_HOST)
		return false;
	if (!location || !(flags & LOCATION_POOL))
		return true;
	return !(flags & LOCATION_ENCAPSULATED) && !address_is_unset(&location->node);
}

/* Packets to workloads of other nodes are wrapped if their pool requires it. So are packets that a workload of this node sends to
 * another node itself, which accepts the workload's address only from the tunnel. Replies to clients that happen to be nodes are not
 * wrapped. */
static __always_inline bool is_wrapped_for(__u32 destination_flags, const struct address *source)
{
	if (!(destination_flags & LOCATION_ENCAPSULATED))
		return false;
	return !(destination_flags & LOCATION_REMOTE_HOST) || bpf_map_lookup_elem(&endpoints, source);
}

static __always_inline bool is_local_host(const struct settings *settings, const struct address *address)
{
	if (address_is_equal(&settings->node, address))
		return true;
	return location_flags(locate(address)) & LOCATION_LOCAL_HOST;
}
