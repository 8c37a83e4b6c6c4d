/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../net/tuple.h"
#include "../scratch.h"
#include "../shared/outcome.h"
#include "../shared/policy.h"
#include "../shared/service.h"
#include "../tunnel/wrapping.h"
#include "events.h"

/* A trace reports every step of single packets. The programs are built twice from these sources: plain, where all of this
 * compiles to nothing, and with -DTRACED. The agent loads the second build while a trace is on. */

#ifdef TRACED

/* The state of this CPU's program. No program interrupts another on one CPU, and each begins with trace_arrived. */
struct trail {
	bool active;
	__u8 hook;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct trail);
} trail SEC(".maps");

static __always_inline struct trail *trail_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&trail, &zero);
}

static __always_inline struct trace *trace_get(void)
{
	__u32 zero = 0;
	struct trace *trace = bpf_map_lookup_elem(&traces, &zero);

	return trace && bpf_ktime_get_ns() < trace->until ? trace : NULL;
}

/* The next step of the packet at hand; NULL: it is not traced. */
static __always_inline struct event *trace_reserve(enum event_kind kind)
{
	const struct trail *at = trail_get();
	struct event *event;

	if (!at || !at->active)
		return NULL;
	event = event_reserve(kind);
	if (event)
		event->hook = at->hook;
	return event;
}

static __always_inline bool is_end(const struct address *address, __be16 port, const struct trace *trace)
{
	return (port == trace->client_port || port == trace->peer_port) && address_is_equal(address, &trace->client);
}

/* @param wrapped_by the node that wrapped it, or NULL */
static __noinline int trace_arrived(struct __sk_buff *skb, const struct tuple *tuple, __u8 tcp_flags, enum hook hook,
				    const struct address *wrapped_by)
{
	const struct trace *trace = trace_get();
	struct trail *at = trail_get();
	struct event *event;

	if (!at || !tuple)
		return 0;
	at->hook = hook;
	at->active = trace && tuple->protocol == trace->protocol &&
		     (is_end(&tuple->source, tuple->source_port, trace) ||
		      is_end(&tuple->destination, tuple->destination_port, trace));
	event = trace_reserve(EVENT_ARRIVED);
	if (!event)
		return 0;
	event->packet = *tuple;
	event->tcp_flags = tcp_flags;
	event->interface = skb->ifindex;
	if (wrapped_by)
		event->node = *wrapped_by;
	event_submit(event);
	return 0;
}

static __noinline int trace_known(const struct connection *connection)
{
	struct event *event = trace_reserve(EVENT_KNOWN);

	if (!event)
		return 0;
	if (connection) {
		event->flags = connection->flags;
		event->address = connection->address;
		event->port = connection->port;
		event->peer_port = connection->peer_port;
		event->node = connection->node;
		event->backend = connection->backend;
	}
	event_submit(event);
	return 0;
}

static __noinline int trace_chosen(const struct service *service, __u32 id, const struct backend *backend)
{
	struct event *event = trace_reserve(EVENT_CHOSEN);

	if (!event)
		return 0;
	if (service)
		event->backend_list = service->backend_list;
	if (backend && id) {
		event->backend = id;
		event->address = backend->address;
		event->port = backend->port;
		event->node = backend->node;
		event->flags = backend->flags;
	}
	event_submit(event);
	return 0;
}

static __noinline int trace_judged(const struct tuple *flow, enum direction direction, const struct judgement *judgement)
{
	struct event *event = trace_reserve(EVENT_JUDGED);

	if (!event)
		return 0;
	if (flow)
		event->packet = *flow;
	if (judgement) {
		event->policy = judgement->policy;
		event->identity = judgement->identity;
		event->rule = judgement->rule;
		event->verdict = judgement->verdict;
	}
	event->direction = direction;
	event_submit(event);
	return 0;
}

static __noinline int trace_wrapped(const struct wrapping *wrapping)
{
	struct event *event = trace_reserve(EVENT_WRAPPED);

	if (!event)
		return 0;
	if (wrapping) {
		event->node = wrapping->node;
		event->flags = wrapping->kind;
		event->encapsulation = wrapping->encapsulation;
		event->backend = wrapping->backend;
	}
	event_submit(event);
	return 0;
}

static __noinline int trace_finished(struct __sk_buff *skb, enum outcome outcome)
{
	struct event *event = trace_reserve(EVENT_FINISHED);

	if (!event)
		return 0;
	read_tuple(skb, &event->packet);
	event->outcome = outcome;
	event_submit(event);
	return 0;
}

/* The backend sees the client under another port: its replies belong to the trace as well. */
static __noinline int trace_peer_port(const struct tuple *tuple, __be16 peer_port)
{
	const struct trail *at = trail_get();
	struct trace *trace = trace_get();

	if (at && at->active && trace && tuple && address_is_equal(&tuple->source, &trace->client))
		trace->peer_port = peer_port;
	return 0;
}

/* A socket that asks for the traced frontend from the traced port. */
static __always_inline void trace_socket(const struct address *frontend, __be16 port, __u8 protocol, __be16 own_port,
					 enum hook hook)
{
	const struct trace *trace = trace_get();
	struct trail *at = trail_get();
	struct event *event;

	if (!at)
		return;
	at->hook = hook;
	at->active = trace && protocol == trace->protocol && port == trace->frontend_port &&
		     own_port == trace->client_port && address_is_equal(frontend, &trace->frontend);
	event = trace_reserve(EVENT_ARRIVED);
	if (!event)
		return;
	event->packet.destination = *frontend;
	event->packet.destination_port = port;
	event->packet.source_port = own_port;
	event->packet.protocol = protocol;
	event_submit(event);
}

static __always_inline void trace_socket_refused(enum outcome reason)
{
	struct event *event = trace_reserve(EVENT_FINISHED);

	if (!event)
		return;
	event->outcome = reason;
	event_submit(event);
}

#else

#define trace_arrived(skb, tuple, tcp_flags, hook, wrapped_by) ((void)(hook), (void)(wrapped_by))
#define trace_known(connection)
#define trace_chosen(service, id, backend)
#define trace_judged(flow, direction, judgement)
#define trace_wrapped(wrapping)
#define trace_finished(skb, outcome)
#define trace_peer_port(tuple, peer_port)
#define trace_socket(frontend, port, protocol, own_port, hook)
#define trace_socket_refused(reason)

#endif
