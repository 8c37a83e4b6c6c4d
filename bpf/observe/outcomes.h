/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../maps/state.h"

/* What became of a packet.
 * @param bytes as it leaves the program
 * @param is_early in an uplink's card */
static __always_inline void count_outcome(enum outcome outcome, __u32 bytes, bool is_early)
{
	__u32 index = outcome;
	struct outcome_counter *counter = bpf_map_lookup_elem(&outcomes, &index);

	if (!counter)
		return;
	counter->packets++;
	counter->bytes += bytes;
	if (is_early)
		counter->early++;
}
