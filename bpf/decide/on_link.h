/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../locate.h"
#include "../net/discovery.h"
#include "../net/parse.h"
#include "../scratch.h"
#include "neighbour.h"

/* IPv6 packets that belong to one link: discovery (net/discovery.h), and packets from or to a link-local address. No router forwards
 * them, and they open no connection. */

static __always_inline bool is_on_link(enum parse_result parsed)
{
	return parsed == PARSE_DISCOVERY || parsed == PARSE_ROUTER || parsed == PARSE_SCOPED;
}

/* Checks the source of discovery from an uplink's link. No workload is on that link: its node answers for it there, from an address of
 * the node. Only a message to many receivers may have this node's address, or none, as its source: it looks for duplicates. @return as
 * check_source() */
static __always_inline enum outcome check_source_on_link(const struct tuple *tuple)
{
	const struct address *source = &tuple->source;
	__u32 flags = location_flags(locate(source));

	if ((flags & LOCATION_POOL) || is_endpoint(source))
		return OUTCOME_DROP_SPOOFED_SOURCE;
	if (is_ipv6_multicast(source) || (flags & LOCATION_BROADCAST))
		return OUTCOME_DROP_MARTIAN_SOURCE;
	if (!(flags & LOCATION_LOCAL_HOST) && !address_is_unset(source))
		return ALLOWED;
	return is_ipv6_multicast(&tuple->destination) ? ALLOWED : OUTCOME_DROP_MARTIAN_SOURCE;
}

/* On an uplink's link these packets go to the node's stack, except those about load balancer addresses. */
static __always_inline void decide_from_link_of_uplink(const struct packet *packet, enum parse_result parsed, struct plan *plan)
{
	enum outcome verdict;

	if (parsed == PARSE_SCOPED) {
		if (is_workload(&packet->tuple.destination))
			return drop(plan, OUTCOME_DROP_MARTIAN_SOURCE);
		return pass_to_stack(plan);
	}
	verdict = check_source_on_link(&packet->tuple);
	if (verdict != ALLOWED)
		return drop(plan, verdict);
	if (parsed == PARSE_DISCOVERY)
		return decide_neighbour(read_discovery(packet), plan);
	pass_to_stack(plan);
}

/* Discovery on a workload's link. A workload may send messages about itself, from its own address or a link-local one, and sends no
 * router's messages. If the destination is not on the link, the host's stack would route the packet past the workload's policies.
 * Separate function: the caller has no BPF stack left. */
static __step int decide_discovery(const struct packet *packet, enum parse_result parsed, const struct address *own,
				   struct plan *plan)
{
	struct scratch *scratch = scratch_get();
	const struct address *source;
	struct address *target;

	if (!packet || !own || !plan || !scratch)
		return 0;
	if (!is_link_local(&packet->tuple.destination) && !is_ipv6_multicast(&packet->tuple.destination)) {
		drop(plan, OUTCOME_DROP_UNSUPPORTED);
		return 0;
	}
	source = &packet->tuple.source;
	target = &scratch->direction.source;
	if (parsed == PARSE_ROUTER ||
	    (!address_is_equal(source, own) && !is_link_local(source) && !address_is_unset(source)) ||
	    (!advertised_address(packet, target) && !address_is_equal(target, own) && !is_link_local(target)))
		drop(plan, OUTCOME_DROP_SPOOFED_SOURCE);
	else
		pass_to_stack(plan);
	return 0;
}

/* A workload never needs a link-local address: the agent writes its next hop into its namespace. */
static __always_inline void decide_from_link_of_workload(const struct packet *packet, enum parse_result parsed,
							 const struct address *own, struct plan *plan)
{
	if (parsed == PARSE_SCOPED)
		drop(plan, OUTCOME_DROP_UNSUPPORTED);
	else
		decide_discovery(packet, parsed, own, plan);
}
