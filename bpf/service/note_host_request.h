/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../locate.h"
#include "../scratch.h"
#include "host_requests.h"

#define HOST_REQUEST_NOTED_AGAIN SECOND /* a stream costs a lookup per packet, and a write per second */

/* Separate function: the caller has no BPF stack left. It does not replace a client's live connection with the same addresses and ports,
 * which a workload could take over that way. */
static __step int note_host_request(const struct tuple *tuple)
{
	struct host_request now = {.asked = bpf_ktime_get_coarse_ns()}, *known;
	struct scratch *scratch = scratch_get();
	struct tuple *answer;

	if (!tuple || !scratch)
		return 0;
	answer = &scratch->direction;
	*answer = reversed(tuple);
	known = bpf_map_lookup_elem(&host_requests, answer);
	if (known) {
		if (now.asked - known->asked >= HOST_REQUEST_NOTED_AGAIN)
			known->asked = now.asked;
		return 0;
	}
	if (!live_connection(answer))
		bpf_map_update_elem(&host_requests, answer, &now, BPF_ANY);
	return 0;
}

/* Keeps the request that this packet answers. */
static __always_inline void note_host_answer(const struct tuple *tuple)
{
	struct host_request *known = bpf_map_lookup_elem(&host_requests, tuple);

	if (known)
		known->asked = bpf_ktime_get_coarse_ns();
}
