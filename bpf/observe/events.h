/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../maps/events.h"
#include "../net/address.h"

/* Events for listeners: written when a connection opens or a packet is refused, never for a packet of an established connection. */

static __always_inline bool has_listeners(void)
{
	__u32 zero = 0;
	const struct listening *listening = bpf_map_lookup_elem(&listeners, &zero);

	return listening && listening->until && bpf_ktime_get_ns() < listening->until;
}

/* The event to fill in: zero except for the fields that every event has; NULL: the ring is full. */
static __always_inline struct event *event_reserve(enum event_kind kind)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return NULL;
	__builtin_memset(event, 0, sizeof(*event));
	event->time = bpf_ktime_get_ns();
	event->kind = kind;
	event->cpu = bpf_get_smp_processor_id();
	return event;
}

static __always_inline void event_submit(struct event *event)
{
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

/* Counts an event that is not reported because it is over a limit. */
static __always_inline void report_suppress(enum report report)
{
	__u32 index = report;
	struct report_counter *counter = bpf_map_lookup_elem(&reports, &index);

	if (counter)
		counter->suppressed++;
}

/* The event to fill in, within this CPU's limit for such reports. */
static __always_inline struct event *report_reserve(enum event_kind kind, enum report report, __u64 most)
{
	__u32 index = report;
	struct report_counter *counter = bpf_map_lookup_elem(&reports, &index);
	__u64 window = bpf_ktime_get_ns() / REPORT_WINDOW_NS; /* the same as of the shares: in two of theirs, one interface would get all */
	struct event *event;

	if (!counter)
		return NULL;
	if (counter->window != window) {
		counter->window = window;
		counter->in_window = 0;
	}
	if (counter->in_window >= most) {
		counter->suppressed++;
		return NULL;
	}
	counter->in_window++;
	event = event_reserve(kind);
	if (event)
		counter->sent++;
	else
		counter->lost++;
	return event;
}
