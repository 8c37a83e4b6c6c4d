/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../maps/services.h"
#include "../net/address.h"

/* Session affinity: a client keeps the backend that it was given. */

/* The list for which a client of this service keeps its backend; 0: none. */
static __always_inline __u32 affine_list(const struct service *service)
{
	return service->flags & SERVICE_AFFINITY ? service->backend_list : 0;
}

/* Separate function: the packet path has no BPF stack left. */
static __step int remember_affinity(__u32 list, const struct address *client, __u32 backend)
{
	struct affinity value = {.last_used = bpf_ktime_get_ns(), .backend = backend};
	struct affinity_key key = {.backend_list = list};

	if (!client)
		return 0;
	key.client = *client;
	bpf_map_update_elem(&affinities, &key, &value, BPF_ANY);
	return 0;
}
