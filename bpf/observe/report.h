/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../maps/events.h"
#include "../maps/state.h"
#include "../net/address.h"
#include "../connection/table.h"
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <stddef.h>

/* Events for people who watch: where connections open and packets are refused, never on the way of a packet of an
 * established connection. */

static __always_inline bool somebody_listens(void)
{
	__u32 zero = 0;
	const struct listening *listening = bpf_map_lookup_elem(&listeners, &zero);

	return listening && listening->until && bpf_ktime_get_ns() < listening->until;
}

/* The event to fill in, zeroed but for what every event has; NULL: the ring is full. */
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

/* The same within this CPU's limit for `kind`. */
static __always_inline struct event *report_reserve(enum event_kind kind, __u64 most)
{
	__u32 index = kind == EVENT_REFUSED;
	struct report_counter *counter = bpf_map_lookup_elem(&reports, &index);
	__u64 now = bpf_ktime_get_ns();
	struct event *event;

	if (!counter)
		return NULL;
	if (now - counter->window >= REPORT_WINDOW_NS) {
		counter->window = now;
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

/* The addresses that a packet carries at this moment; what is not IPv4 leaves them unset. Field by field into the tuple,
 * since whoever drops may be deep in calls and the stack is small. */
static __always_inline void read_tuple(struct __sk_buff *skb, struct tuple *tuple)
{
	const __u32 header = ETH_HLEN;
	__be16 fragment = 0;
	__u8 length = 0;

	if (skb->protocol != bpf_htons(ETH_P_IP) || bpf_skb_load_bytes(skb, header, &length, sizeof(length)))
		return;
	bpf_skb_load_bytes(skb, header + offsetof(struct iphdr, protocol), &tuple->protocol, sizeof(tuple->protocol));
	bpf_skb_load_bytes(skb, header + offsetof(struct iphdr, saddr), &tuple->source.word[3], sizeof(__be32));
	bpf_skb_load_bytes(skb, header + offsetof(struct iphdr, daddr), &tuple->destination.word[3], sizeof(__be32));
	bpf_skb_load_bytes(skb, header + offsetof(struct iphdr, frag_off), &fragment, sizeof(fragment));
	tuple->source.word[2] = tuple->destination.word[2] = bpf_htonl(0xffff);
	if ((tuple->protocol != IPPROTO_TCP && tuple->protocol != IPPROTO_UDP) || (fragment & bpf_htons(0x1fff)))
		return; /* a later fragment has no ports */
	bpf_skb_load_bytes(skb, header + (length & 0xf) * 4, &tuple->source_port, 2 * sizeof(__be16));
}

/* `flow`, where it is known: the packet as it would have been after translation. */
static __noinline int report_refused(struct __sk_buff *skb, enum outcome reason, const struct tuple *flow)
{
	struct event *event;

	if (!somebody_listens())
		return 0;
	event = report_reserve(EVENT_REFUSED, REPORT_MOST_REFUSED);
	if (!event)
		return 0;
	read_tuple(skb, &event->packet);
	event->outcome = reason;
	event->interface = skb->ifindex;
	if (flow) {
		event->address = flow->destination;
		event->port = flow->destination_port;
	}
	event_submit(event);
	return 0;
}

/* After a connection was written: what became of it is read from its entry. */
static __noinline int report_opened(const struct tuple *tuple, __u32 interface)
{
	const struct connection *connection;
	struct event *event;

	if (!tuple || !somebody_listens())
		return 0;
	connection = connection_lookup(tuple);
	if (!connection)
		return 0;
	event = report_reserve(EVENT_OPENED, REPORT_MOST_OPENED);
	if (!event)
		return 0;
	event->packet = *tuple;
	event->address = connection->address;
	event->node = connection->node;
	event->port = connection->port;
	event->peer_port = connection->peer_port;
	event->flags = connection->flags;
	event->backend = connection->backend;
	event->interface = interface;
	event_submit(event);
	return 0;
}
