/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "clock.h"
#include "maps/workloads.h"
#include "net/segments.h"
#include "plan.h"
#include "settings.h"

/* How much a workload may send and receive in a time (annotations kubernetes.io/egress-bandwidth and ingress-bandwidth). Packets above
 * the limit are dropped and not delayed: a hook can delay a packet only in the queue of the interface that the packet leaves by, and
 * between workloads of one node there is no queue. */

/* How early a packet may come: ns. Longer than the 200 ms after which a TCP sender retransmits. Otherwise the sender would not use the
 * capacity that accumulates while it waits. */
#define BANDWIDTH_BURST 250000000ULL

static __always_inline bool limits_bandwidth(const struct settings *settings)
{
	return settings && (settings->flags & SETTINGS_BANDWIDTH);
}

/* Charges a packet. @return whether the packet exceeds the limit of the workload behind `interface`; such a packet is not charged */
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

/* Charges a packet that is not dropped for another reason. */
static __always_inline void keep_to_bandwidth(const struct packet *packet, const struct settings *settings, __u32 interface,
					      __u32 direction, struct plan *plan)
{
	if (limits_bandwidth(settings) && plan->exit != EXIT_DROP &&
	    exceeds_bandwidth(packet->skb, packet->l4_offset, packet->tuple.protocol, interface, direction))
		drop(plan, OUTCOME_DROP_BANDWIDTH);
}
