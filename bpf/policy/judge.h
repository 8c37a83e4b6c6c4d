/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../connection/live.h"
#include "../net/icmp.h"
#include "../settings.h"
#include "../verdict.h"
#include "stages.h"

/* Notes the node's revision before the policies are read: a verdict must not look newer than the policies that it comes from. */
static __always_inline void begin_verdict(const struct settings *settings, struct scratch *scratch)
{
	scratch->policy_revision = *(const volatile __u32 *)&settings->policy_revision;
	fence();
}

/* Records that a flow was allowed, with the revisions on which the verdict depends. It records nothing if the agent has begun to write
 * meanwhile. If the agent was already writing, the verdict does not last: the agent changes the node's revision before it writes
 * anything else. */
static __always_inline void note_verdict(const struct settings *settings, const struct scratch *scratch,
					 __u32 *policy_revision, __u32 *ends_revision)
{
	fence();
	if (scratch->policy_revision != *(const volatile __u32 *)&settings->policy_revision)
		return;
	*policy_revision = scratch->policy_revision;
	if (!(scratch->policy_revision & POLICY_REVISION_UNSETTLED))
		*ends_revision = scratch->ends_revision;
}

/* What an address of this node as a source means. */
enum local_source {
	LOCAL_SOURCE_IS_NODE,
	LOCAL_SOURCE_IS_MASQUERADED, /* the host's stack gave somebody else's packet its own address, or somebody pretends */
};

/* Whether this direction of an endpoint's policy applies to its own node. A workload and its own node always reach each other (kubelet's
 * probes; a rule of Kubernetes), unless a policy of Calico covers what the workload sends to its node. */
static __always_inline bool is_asked_of_node(const struct endpoint *endpoint, enum direction direction)
{
	return direction == DIRECTION_EGRESS && (endpoint->flags & ENDPOINT_ASKED_TO_NODE);
}

/* One direction of one endpoint's policy towards `peer`. */
static __always_inline bool policy_allows(const struct endpoint *endpoint, enum direction direction,
					  const struct address *peer, const struct tuple *tuple,
					  enum local_source local, struct scratch *scratch)
{
	struct judgement *judgement = &scratch->judgements[direction];
	struct peer other;

	*judgement = (struct judgement){.direction = direction};
	if (!is_isolated(endpoint, direction)) {
		trace_judged(tuple, direction, judgement);
		return true;
	}
	other = peer_at(peer, scratch);
	if (local == LOCAL_SOURCE_IS_NODE && !is_asked_of_node(endpoint, direction) &&
	    (other.location_flags & LOCATION_LOCAL_HOST)) {
		judgement->policy = endpoint->policy;
		trace_judged(tuple, direction, judgement);
		return true;
	}
	policy_ask(endpoint, direction, tuple, other.identity, judgement, scratch);
	scratch->plan.asked |= 1 << direction;
	scratch->plan.refused_by = direction;
	trace_judged(tuple, direction, judgement);
	return judgement->verdict == POLICY_ALLOW;
}

/* The revisions of a flow's ends, combined into one number: the verdict about the flow depends on them. An end that is not on this node
 * has no revision. The order counts. */
static __always_inline __u32 ends_revision_of(const struct ends *ends, const struct settings *settings)
{
	return (ends->source ? ends->source->revision * 31 : 0) + (ends->destination ? ends->destination->revision : 0) +
	       settings->host_revision;
}

/* Whether an end of a flow is the node, and an earlier stage has already let the flow in to the node. */
static __always_inline bool is_accepted(const struct endpoint *end, const struct scratch *scratch)
{
	return scratch->plan.is_accepted && is_host(end);
}

/* Judges scratch's flow by the policies of those of its two ends that are on this node, for judge_as(). The flow is the tuple after
 * translation: policies are about workloads, not about services. No policy keeps a workload from itself (Kubernetes, "Network Policies":
 * a pod cannot block access to itself). Returns a verdict, and leaves the revision of the ends in scratch. */
__global enum outcome judge_from(enum local_source local)
{
	const struct settings *settings = settings_get();
	struct scratch *scratch = scratch_get();
	const struct tuple *flow;
	struct ends ends;

	if (!scratch || !settings)
		return OUTCOME_DROP_MALFORMED;
	flow = &scratch->flow;
	find_ends(&ends, flow, settings, scratch);
	scratch->ends_revision = ends_revision_of(&ends, settings);
	if (ends.source && ends.source == ends.destination)
		return ALLOWED;
	if (ends.source && !policy_allows(ends.source, DIRECTION_EGRESS, &flow->destination, flow, LOCAL_SOURCE_IS_NODE, scratch) &&
	    !keeps_open(ends.source, flow, DIRECTION_EGRESS, scratch))
		return OUTCOME_DROP_POLICY_EGRESS;
	if (ends.destination && !is_accepted(ends.destination, scratch) &&
	    !policy_allows(ends.destination, DIRECTION_INGRESS, &flow->source, flow, local, scratch) &&
	    !keeps_open(ends.destination, flow, DIRECTION_INGRESS, scratch))
		return OUTCOME_DROP_POLICY_INGRESS;
	return ALLOWED;
}

/* Judges scratch's flow where it comes in, by its ends on this node, and where it leaves. Returns a verdict. */
static __always_inline enum outcome judge_as(struct __sk_buff *skb, enum local_source local)
{
	const struct settings *settings = settings_get();
	struct scratch *scratch = scratch_get();
	bool is_staged = settings && scratch && has_host_stages(settings);
	enum outcome verdict = is_staged ? judge_arrival(scratch) : ALLOWED;

	if (verdict == ALLOWED)
		verdict = judge_from(local);
	return verdict == ALLOWED && is_staged ? judge_departure(skb) : verdict;
}

/* A packet that did not pass the host's stack is not from this node, whatever its source is. */
static __always_inline enum outcome judge(struct __sk_buff *skb)
{
	return judge_as(skb, LOCAL_SOURCE_IS_MASQUERADED);
}

/* Whether this is the backend's node of a connection that another node forwarded. */
static __always_inline bool is_from_entry(__u32 connection_flags)
{
	return !(connection_flags & CONNECTION_FORWARDED) && (connection_flags & (CONNECTION_VIA_ENTRY | CONNECTION_DIRECT_RETURN));
}

/* The flow that opened a connection, after translation, found from one of its packets in either direction, as it was before translation. */
static __always_inline void flow_of_connection(struct tuple *flow, const struct tuple *tuple, const struct connection *connection)
{
	if (connection->flags & CONNECTION_REPLY) {
		*flow = reversed(tuple);
		if (connection->flags & CONNECTION_MASQUERADED) {
			flow->source = connection->node;
			flow->source_port = connection->peer_port;
		}
	} else {
		*flow = *tuple;
		flow->destination = connection->address;
		flow->destination_port = connection->port;
	}
}

/* How a connection's flow came to this node, found from one of its packets in either direction. */
static __always_inline void find_arrival(struct scratch *scratch, const struct tuple *tuple, const struct connection *connection,
					 const struct settings *settings)
{
	const struct connection *forward = connection;

	scratch->written = *tuple;
	if (connection->flags & CONNECTION_REPLY) {
		opposite(&scratch->written, tuple, connection);
		forward = connection_lookup(&scratch->written);
	}
	scratch->is_to_node = connection->flags & CONNECTION_FORWARDED;
	scratch->is_from_entry = is_from_entry(connection->flags);
	scratch->arrival = scratch->is_from_entry ? settings->uplink_ifindex : forward ? forward->origin.interface : 0;
}

/* Whether anything on which the last verdict about a connection depends may have changed. Leaves in scratch the flow to be judged, the
 * revision of its ends and that of the node. */
__global int is_to_be_judged(const struct tuple *tuple, const struct connection *connection)
{
	const struct settings *settings = settings_get();
	struct scratch *scratch = scratch_get();
	struct ends ends;

	if (!tuple || !settings || !connection || !scratch)
		return 0;
	begin_verdict(settings, scratch);
	flow_of_connection(&scratch->flow, tuple, connection);
	find_ends(&ends, &scratch->flow, settings, scratch);
	scratch->ends_revision = ends_revision_of(&ends, settings);
	if (has_host_stages(settings))
		find_arrival(scratch, tuple, connection, settings);
	if (connection->flags & CONNECTION_HAIRPIN)
		return 0;
	return (scratch->policy_revision & POLICY_REVISION_UNSETTLED) || !scratch->ends_revision ||
	       scratch->ends_revision != connection->ends_revision;
}

/* A policy changed since this connection was judged: its next packet in either direction asks whether that concerns its ends, and
 * is judged again if so. `tuple` is that packet's, before translation. apply() writes the verdict into the connection: the plan is
 * marked in scratch, because another argument would take stack. */
static __always_inline enum outcome judge_again(struct __sk_buff *skb, const struct tuple *tuple, const struct settings *settings,
						const struct connection *connection)
{
	struct scratch *scratch = scratch_get();
	enum outcome verdict;

	if (!scratch)
		return OUTCOME_DROP_MALFORMED;
	if (connection->policy_revision == settings->policy_revision ||
	    (connection->flags & (CONNECTION_JUDGED_LATER | CONNECTION_NOT_JUDGED | CONNECTION_REFUSED)) ||
	    ((connection->flags & CONNECTION_FORWARDED) && !has_host_stages(settings)))
		return ALLOWED;
	if (is_to_be_judged(tuple, connection)) {
		verdict = judge(skb);
		if (verdict != ALLOWED)
			return verdict;
	}
	scratch->plan.is_judged = true;
	return ALLOWED;
}

/* The workload of this node that sent a packet which now leaves the host's stack, whatever source the packet has now; NULL: the packet
 * came from elsewhere, or from the node itself. */
static __always_inline const struct workload *sender_before_stack(const struct __sk_buff *skb)
{
	__u32 ifindex = skb->ingress_ifindex;

	return ifindex ? bpf_map_lookup_elem(&interfaces, &ifindex) : NULL;
}

/* Judges a packet that leaves the host's stack, after kube-proxy may have given it another destination and another source. Leaves the
 * flow that was judged in scratch. */
static __always_inline enum outcome judge_after_stack(struct __sk_buff *skb, const struct tuple *tuple)
{
	const struct workload *sender = sender_before_stack(skb);
	struct scratch *scratch = scratch_get();
	struct tuple *flow;

	if (!scratch)
		return OUTCOME_DROP_MALFORMED;
	flow = &scratch->flow;
	*flow = *tuple;
	scratch->written = *tuple;
	scratch->arrival = sender ? 0 : skb->ingress_ifindex;
	if (sender)
		flow->source = *workload_address(sender, &tuple->source);
	return judge_as(skb, skb->ingress_ifindex ? LOCAL_SOURCE_IS_MASQUERADED : LOCAL_SOURCE_IS_NODE);
}
