/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../maps/services.h"
#include "../net/address.h"

/* Which clients may use a load balancer's address (spec.loadBalancerSourceRanges). */

__global bool is_in_source_ranges(__u32 set, const struct address *client)
{
	struct source_range key = {.prefix_length = 160, .set = set};

	if (!client)
		return false;
	key.client = *client;
	return bpf_map_lookup_elem(&source_ranges, &key);
}

static __always_inline bool may_use(const struct service *service, const struct address *client)
{
	return !service->source_ranges || is_in_source_ranges(service->source_ranges, client);
}
