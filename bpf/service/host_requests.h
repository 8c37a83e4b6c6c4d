/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../connection/track.h"

/* UDP that leaves this node's stack with an address of the node: its own, or a workload's that the stack masqueraded. The
 * answer comes to a port at which a service may stand; what was asked before tells it from a request. (For kube-proxy's services
 * the kernel's connection tracking does that, but host ports are ours.) TCP needs none of it: an answer opens no connection. */

#define HOST_REQUEST_NOTED_AGAIN SECOND /* a stream costs a lookup per packet, and a write per second */

/* Apart: its callers' stack is full. Nothing is noted over a client's live connection with the same addresses and ports:
 * a workload could take that over. */
static __noinline int note_host_request(const struct tuple *tuple)
{
	struct host_request now = {.asked = bpf_ktime_get_coarse_ns()}, *known;
	struct tuple answer;

	if (!tuple)
		return 0;
	answer = reversed(tuple);
	known = bpf_map_lookup_elem(&host_requests, &answer);
	if (known) {
		if (now.asked - known->asked >= HOST_REQUEST_NOTED_AGAIN)
			known->asked = now.asked;
		return 0;
	}
	if (!live_connection(&answer))
		bpf_map_update_elem(&host_requests, &answer, &now, BPF_ANY);
	return 0;
}

/* For what leaves the host's stack. */
static __always_inline void remember_host_request(const struct settings *settings, const struct tuple *tuple)
{
	if (tuple->protocol == IPPROTO_UDP && is_local_host(settings, &tuple->source))
		note_host_request(tuple);
}

/* Asked of what would open a connection to a service. */
static __always_inline bool is_answer_to_host(const struct tuple *tuple)
{
	__u64 now = bpf_ktime_get_coarse_ns();
	struct host_request *known;

	if (tuple->protocol != IPPROTO_UDP)
		return false;
	known = bpf_map_lookup_elem(&host_requests, tuple);
	if (!known || (__s64)(now - known->asked) >= (__s64)TIMEOUT_UDP_ANSWERED)
		return false;
	known->asked = now;
	return true;
}
