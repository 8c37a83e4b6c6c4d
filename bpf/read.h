/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "net/parse.h"
#include "observe/trace.h"

/* Reads a packet. `wrapped_by`: the node that wrapped it, or NULL. A trace recognises its packets here. */
static __always_inline enum parse_result read_wrapped(struct packet *packet, enum hook hook,
						      const struct address *wrapped_by)
{
	enum parse_result result = parse(packet, hook);

	trace_arrived(packet->skb, &packet->tuple, packet->tcp_flags, hook, wrapped_by);
	return result;
}

/* The first step of every program. */
static __always_inline enum parse_result read(struct packet *packet, enum hook hook)
{
	return read_wrapped(packet, hook, NULL);
}
