/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../net/hash.h"
#include "events.h"

/* A sender's share of the reports, so that a sender that floods does not hide what happens to the packets of others. Used only when a
 * packet is refused or logged. */

/* The share that `sender` behind `interface` has used in this window; sender 0: the share of all senders behind the interface. Two
 * senders with the same entry share it until the next window. Never NULL; the verifier does not know that. */
static __always_inline struct report_share *report_share(__u64 window, __u32 report, __u32 interface, __u32 sender)
{
	__u32 index = hash_end(hash_in(hash_in(hash_in(window, report), interface), sender)) % REPORT_SHARES;
	struct report_share *share = bpf_map_lookup_elem(&report_shares, &index);

	if (share && share->window != window) {
		share->window = window;
		share->in_window = 0;
	}
	return share;
}

/* Takes one of `most` from the shares of the sender and of its interface, or from neither. A sender that forges its address can use up
 * the share of its interface, but neither the share of the address's owner behind another interface nor that of everybody. @param sender
 * already hashed, or a small number @return whether there was one left */
__global int share_take(__u32 report, __u32 interface, __u32 sender, __u32 most)
{
	__u64 window = bpf_ktime_get_ns() / REPORT_WINDOW_NS;
	struct report_share *own = report_share(window, report, interface, sender), *shared;

	if (!own || own->in_window >= most * REPORT_PARTS_SENDER / REPORT_PARTS)
		return false;
	shared = report_share(window, report, interface, 0);
	if (!shared || shared->in_window >= most * REPORT_PARTS_INTERFACE / REPORT_PARTS)
		return false;
	own->in_window++;
	shared->in_window++;
	return true;
}

static __always_inline __u32 sender_of(const struct address *source)
{
	return hash_address(0, source);
}

/* The same as report_reserve(), within the shares of the sender and of its interface. */
static __always_inline struct event *report_reserve_shared(enum event_kind kind, enum report report, __u64 most, __u32 sender,
							   __u32 interface)
{
	if (share_take(report, interface, sender, most))
		return report_reserve(kind, report, most);
	report_suppress(report);
	return NULL;
}

/* @param netns of the socket: a pod's, or the node's */
static __always_inline struct event *report_refused_socket(__u64 netns)
{
	return report_reserve_shared(EVENT_REFUSED, REPORT_REFUSED, REPORT_MOST_REFUSED, netns, 0);
}
