/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../connection/live.h"

/* UDP that leaves this node's stack with an address of the node: its own, or a workload's that the stack masqueraded. The
 * answer comes to a port that a service may use, too; the earlier request distinguishes it from a client's. (For kube-proxy's services
 * the kernel's connection tracking does that, but host ports are ours.) TCP does not need this: an answer opens no connection. */

/* Whether a packet that would open a connection to a service is the answer to such a request. */
static __always_inline bool is_answer_to_host(const struct tuple *tuple)
{
	const struct host_request *known;

	if (tuple->protocol != IPPROTO_UDP)
		return false;
	known = bpf_map_lookup_elem(&host_requests, tuple);
	return known && (__s64)(bpf_ktime_get_coarse_ns() - known->asked) < (__s64)TIMEOUT_UDP_ANSWERED;
}
