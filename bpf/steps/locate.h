/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../maps/workloads.h"
#include "packet.h"

/* Who and where an address is; NULL: outside the cluster, and no policy tells it from others. */
static __always_inline const struct location *locate(const struct address *address)
{
	struct prefix key = {.prefix_length = 128, .address = *address};

	return bpf_map_lookup_elem(&locations, &key);
}

static __always_inline __u32 location_flags(const struct location *location)
{
	return location ? location->flags : 0;
}

static __always_inline bool is_local_host(const struct settings *settings, const struct address *address)
{
	if (address_is_equal(&settings->node, address))
		return true;
	return location_flags(locate(address)) & LOCATION_LOCAL_HOST;
}
