/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "scratch.h"

/* When the packet at hand is handled, in ns of bpf_ktime_get_coarse_ns(). The clock is read when a packet first needs the time: for a
 * packet of a known connection five readings would cost more than the lookup of the connection. Inline, because a call costs half a
 * reading. Code that runs for few packets reads the clock itself. */
static __always_inline __u64 packet_time(void)
{
	struct scratch *scratch = scratch_get();

	if (!scratch)
		return bpf_ktime_get_coarse_ns();
	if (!scratch->time)
		scratch->time = bpf_ktime_get_coarse_ns();
	return scratch->time;
}
