/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../net/hash.h"
#include "events.h"

/* A sender's share of the reports, so that one that floods does not hide what becomes of others' packets. Only where a packet is
 * refused or logged. */

/* What is hashed: a number of one kind is none of another. */
enum share_of {
	SHARE_OF_SENDER,
	SHARE_OF_INTERFACE,
};

/* Takes one of `most` from the share of `who`. Two that meet in one entry part with the next window.
 * @param who already hashed, or a small number @return whether there was one left */
__global int share_take(enum share_of kind, __u32 who, __u32 report, __u32 most)
{
	__u64 window = bpf_ktime_get_ns() / REPORT_WINDOW_NS;
	__u32 index = hash_end(hash_in(hash_in(hash_in(window, kind), report), who)) % REPORT_SHARES;
	struct report_share *share = bpf_map_lookup_elem(&report_shares, &index);

	if (!share)
		return false;
	if (share->window != window) {
		share->window = window;
		share->in_window = 0;
	}
	if (share->in_window >= most)
		return false;
	share->in_window++;
	return true;
}

static __always_inline __u32 sender_of(const struct address *source)
{
	return hash_address(0, source);
}

/* As report_reserve, within the share of the sender and of the interface. A sender may forge its address: then the interface's
 * share is left to the others. */
static __always_inline struct event *report_reserve_shared(enum event_kind kind, enum report report, __u64 most, __u32 sender,
							   __u32 interface)
{
	if (share_take(SHARE_OF_SENDER, sender, report, most * REPORT_PARTS_SENDER / REPORT_PARTS) &&
	    share_take(SHARE_OF_INTERFACE, interface, report, most * REPORT_PARTS_INTERFACE / REPORT_PARTS))
		return report_reserve(kind, report, most);
	report_suppress(report);
	return NULL;
}

/* @param netns whose socket it is: a pod's, or the node's */
static __always_inline struct event *report_refused_socket(__u64 netns)
{
	return report_reserve_shared(EVENT_REFUSED, REPORT_REFUSED, REPORT_MOST_REFUSED, netns, 0);
}
