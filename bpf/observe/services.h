/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../maps/services.h"

/* How often a service is used and refused, counted where that is decided. Packets and bytes of connections are counted packet by packet,
 * under the list in their entry, while services are counted (remember.h). If a packet interrupts a socket's call on the same CPU and
 * counts the same entry, one of the two counts is lost. @param kind enum service_count_kind, or enum outcome: a refusal */
__global int count_service(__u32 backend_list, __u32 kind, __u32 bytes)
{
	struct service_count key = {.backend_list = backend_list, .kind = kind};
	struct service_counter first = {.times = 1, .bytes = bytes};
	struct service_counter *counter;

	counter = bpf_map_lookup_elem(&service_counts, &key);
	if (counter) {
		counter->times++;
		counter->bytes += bytes;
	} else {
		bpf_map_update_elem(&service_counts, &key, &first, BPF_NOEXIST);
	}
	return 0;
}
