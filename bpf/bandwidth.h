/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "clock.h"
#include "maps/workloads.h"
#include "net/segments.h"
#include "plan.h"
#include "settings.h"

/* What a workload may send and receive in a time (annotations kubernetes.io/egress-bandwidth and ingress-bandwidth). What exceeds it is
 * dropped: no hook can make a packet wait without a queue of the interface that it leaves by, and between workloads of a node there is none. */

/* ns that packets may come early: longer than the time after which a sender whose packets were lost tries again (200 ms), else it would
 * leave unused what it was given meanwhile. */
#define BANDWIDTH_BURST 250000000ULL

static __always_inline bool limits_bandwidth(const struct settings *settings)
{
	return settings && (settings->flags & SETTINGS_BANDWIDTH);
}

/* Charges a packet. @return whether it exceeds what the workload behind `interface` may have, and is not charged */
__global int exceeds_bandwidth(struct __sk_buff *skb, __u32 l4_offset, __u32 protocol, __u32 interface, __u32 direction)
{
	struct limited key = {.interface = interface, .direction = direction};
	struct bandwidth *bandwidth;
	__u64 now, due;

	if (!skb)
		return false;
	bandwidth = bpf_map_lookup_elem(&bandwidths, &key);
	if (!bandwidth)
		return false;
	now = packet_time();
	due = *(volatile __u64 *)&bandwidth->due;
	if (due > now + BANDWIDTH_BURST)
		return true;
	if (due < now)
		__sync_val_compare_and_swap(&bandwidth->due, due, now); /* another processor may have done that */
	__sync_fetch_and_add(&bandwidth->due, (bytes_on_link(skb, l4_offset, protocol) * bandwidth->cost) >> BANDWIDTH_SHIFT);
	return false;
}

/* Of a packet that is not dropped in any case. */
static __always_inline void keep_to_bandwidth(const struct packet *packet, const struct settings *settings, __u32 interface,
					      __u32 direction, struct plan *plan)
{
	if (limits_bandwidth(settings) && plan->exit != EXIT_DROP &&
	    exceeds_bandwidth(packet->skb, packet->l4_offset, packet->tuple.protocol, interface, direction))
		drop(plan, OUTCOME_DROP_BANDWIDTH);
}
