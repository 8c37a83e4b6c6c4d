/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../clock.h"
#include "../settings.h"
#include "source.h"
#include "host.h"

/* Flows that policies refused a moment ago. In a flood, such packets cost one lookup each, whatever source ports they have, instead of
 * the eight to twelve lookups that lead to the same verdict. A change of policies changes the revision and ends the entry. Other changes
 * on which a refusal depends (a service that appears at the address) take effect as late as they do for a connection's next hop. A flood
 * with many sources makes the programs forget refusals, and nothing else. */
#define REFUSAL_LIFETIME 100000000ULL /* ns: 0.1 s */

/* A sender may choose addresses whose low halves give the same hash. It gains nothing: both flows are judged each time. */
static __always_inline struct refusal *refusal_at(const struct tuple *tuple)
{
	__u64 source = tuple->source.word[2] | (__u64)tuple->source.word[3] << 32;
	__u64 destination = tuple->destination.word[2] | (__u64)tuple->destination.word[3] << 32;
	__u64 hash = source * 0x9e3779b97f4a7c15 + (destination ^ (tuple->destination_port << 8 | tuple->protocol)) * 0xc2b2ae3d27d4eb4f;
	__u32 index = (hash ^ hash >> 29) * 0x9e3779b97f4a7c15 >> 55;

	return bpf_map_lookup_elem(&refusals, &index);
}

static __always_inline bool is_refusal_of(const struct refusal *refusal, const struct tuple *tuple, const struct origin *origin)
{
	return refusal->port == tuple->destination_port && refusal->protocol == tuple->protocol &&
	       address_is_equal(&refusal->source, &tuple->source) && address_is_equal(&refusal->destination, &tuple->destination) &&
	       origin_is(&refusal->origin, origin);
}

/* Whether a packet, whose origin the plan has, is refused because policies refused the same a moment ago. Then the plan says so, and
 * scratch has the same content as if policies had been asked. Policies that refuse to open a flow also refuse packets of a connection
 * that its sender has opened; only packets other than SYNs may be answers. In a flood of SYNs, the lookups of connections that do not
 * exist cost most. */
__global bool is_refused_again(const struct tuple *tuple, bool is_syn)
{
	const struct settings *settings = settings_get();
	struct scratch *scratch = scratch_get();
	const struct refusal *refusal;

	if (!tuple || !settings || !scratch || has_host_stages(settings))
		return false;
	if (packet_time() >= scratch->refusals_until) {
		scratch->refusals_until = 0;
		return false;
	}
	refusal = refusal_at(tuple);
	if (!refusal || packet_time() >= refusal->until || refusal->policy_revision != settings->policy_revision ||
	    !is_refusal_of(refusal, tuple, &scratch->plan.origin) || (!is_syn && connection_lookup(tuple_as_key(scratch, tuple))))
		return false;
	scratch->flow = *tuple;
	scratch->judgements[JUDGED_INGRESS] = refusal->ingress;
	scratch->judgements[JUDGED_EGRESS] = refusal->egress;
	scratch->plan.asked = refusal->asked;
	scratch->plan.refused_by = refusal->refused_by;
	drop_flow(&scratch->plan, refusal->outcome);
	return true;
}

#ifdef TRACED
#define SHOWS_EACH_STEP true
#else
#define SHOWS_EACH_STEP false
#endif

/* Whether to look for an earlier refusal. An answer of ICMP is refused for another reason. */
static __always_inline bool may_be_refused_again(const struct packet *packet)
{
	const struct scratch *scratch = scratch_get();

	return !SHOWS_EACH_STEP && scratch && scratch->refusals_until && packet_may_open(packet) && !packet->is_answer;
}

static __always_inline bool refuses_again(const struct packet *packet, const struct origin *origin, struct plan *plan)
{
	plan->origin = *origin;
	return is_refused_again(&packet->tuple, packet_is_syn(packet));
}

/* For a packet of no known connection: if policies refuse it, they will refuse others from `origin` again. */
static __always_inline void note_origin(const struct packet *packet, const struct origin *origin, struct plan *plan)
{
	plan->origin = *origin;
	plan->has_origin = packet_may_open(packet);
}
