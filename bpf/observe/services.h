/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../maps/services.h"

/* How often a service is used, and refused: counted where that is decided, never for a packet of a known connection. A packet that
 * interrupts a socket's call on the same CPU, and counts the same, is lost for the count.
 * @param refusal enum outcome; 0: a connection */
__global int count_service(__u32 backend_list, __u32 refusal)
{
	struct service_count key = {.backend_list = backend_list, .refusal = refusal};
	struct service_counter first = {.times = 1};
	struct service_counter *counter;

	counter = bpf_map_lookup_elem(&service_counts, &key);
	if (counter)
		counter->times++;
	else
		bpf_map_update_elem(&service_counts, &key, &first, BPF_NOEXIST);
	return 0;
}
