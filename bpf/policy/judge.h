/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../locate.h"
#include "../observe/trace.h"
#include "../scratch.h"
#include "../verdict.h"

/* What a verdict is stamped with. Read before the policies are: a verdict must not look newer than they were. */
static __always_inline __u32 revision_to_judge_by(const struct settings *settings)
{
	__u32 revision = *(const volatile __u32 *)&settings->policy_revision;

	fence();
	return revision;
}

/* Whether an address of this node stands for the node itself. */
enum local_source {
	LOCAL_SOURCE_IS_NODE,
	LOCAL_SOURCE_IS_MASQUERADED, /* the host's stack gave somebody else's packet its own address, or somebody pretends */
};

/* One direction of one endpoint's policy towards `peer`: at most three lookups, however many policies there are.
 * A workload and its own node always reach each other (kubelet's probes; Kubernetes' rule). */
static __always_inline bool policy_allows(const struct endpoint *endpoint, enum direction direction,
					  const struct address *peer, const struct tuple *tuple,
					  enum local_source local)
{
	__u32 isolated = direction == DIRECTION_INGRESS ? ENDPOINT_INGRESS_ISOLATED : ENDPOINT_EGRESS_ISOLATED;
	struct policy_key key = {
		.prefix_length = 96,
		.policy = endpoint->policy,
		.direction = direction,
		.protocol = tuple->protocol,
		.port = has_ports(tuple) ? tuple->destination_port : 0,
	};
	const struct policy_value *value;
	const struct location *location;
	__u32 identity;
	bool allowed;

	if (!(endpoint->flags & isolated)) {
		trace_judged(tuple, 0, 0, direction, 0);
		return true;
	}
	location = locate(peer);
	if (local == LOCAL_SOURCE_IS_NODE && (location_flags(location) & LOCATION_LOCAL_HOST)) {
		trace_judged(tuple, endpoint->policy, 0, direction, 0);
		return true;
	}
	identity = location ? location->identity : 0;
	key.identity = identity;
	value = bpf_map_lookup_elem(&policies, &key);
	if (!value) {
		key.identity = POLICY_ANY_IDENTITY;
		value = bpf_map_lookup_elem(&policies, &key);
	}
	allowed = value && value->verdict == POLICY_ALLOW;
	trace_judged(tuple, endpoint->policy, identity, direction, allowed ? POLICY_ALLOW : POLICY_DENY);
	return allowed;
}

/* Judges a connection by the policies of those of its two ends that live on this node. `flow` is the tuple after
 * translation: policies speak of workloads, not of services. Returns a verdict. */
static __noinline enum outcome judge_from(const struct tuple *flow, enum local_source local)
{
	const struct endpoint *endpoint;

	if (!flow)
		return OUTCOME_DROP_MALFORMED;
	endpoint = bpf_map_lookup_elem(&endpoints, &flow->source);
	if (endpoint && !policy_allows(endpoint, DIRECTION_EGRESS, &flow->destination, flow, LOCAL_SOURCE_IS_NODE))
		return OUTCOME_DROP_POLICY_EGRESS;
	endpoint = bpf_map_lookup_elem(&endpoints, &flow->destination);
	if (endpoint && !policy_allows(endpoint, DIRECTION_INGRESS, &flow->source, flow, local))
		return OUTCOME_DROP_POLICY_INGRESS;
	return ALLOWED;
}

/* What did not pass the host's stack is not from this node, whatever its source says. No policy keeps a workload from itself
 * (Kubernetes, "Network Policies": a pod cannot block access to itself). */
static __always_inline enum outcome judge(const struct tuple *flow)
{
	if (address_is_equal(&flow->source, &flow->destination))
		return ALLOWED;
	return judge_from(flow, LOCAL_SOURCE_IS_MASQUERADED);
}

/* Judges a known connection by a packet that it has in one direction or the other, seen before translation. Policies
 * speak of the one that opened it. */
static __noinline enum outcome judge_connection(const struct tuple *tuple, const struct connection *connection)
{
	struct scratch *scratch = scratch_get();
	struct tuple *flow;

	if (!tuple || !connection || !scratch)
		return OUTCOME_DROP_MALFORMED;
	if (connection->flags & CONNECTION_HAIRPIN)
		return ALLOWED;
	flow = &scratch->flow;
	if (connection->flags & CONNECTION_REPLY) {
		*flow = reversed(tuple);
	} else {
		*flow = *tuple;
		flow->destination = connection->address;
		flow->destination_port = connection->port;
	}
	return judge(flow);
}

/* A policy changed since this connection was judged: judge it again at its next packet, in either direction. `tuple` is that
 * packet's, before translation. */
static __always_inline enum outcome judge_again(const struct tuple *tuple, const struct settings *settings,
						struct connection *connection)
{
	enum outcome verdict;
	__u32 revision;

	if (connection->policy_revision == settings->policy_revision ||
	    (connection->flags & (CONNECTION_FORWARDED | CONNECTION_JUDGED_LATER)))
		return ALLOWED;
	revision = revision_to_judge_by(settings);
	verdict = judge_connection(tuple, connection);
	if (verdict == ALLOWED)
		connection->policy_revision = revision;
	return verdict;
}

/* The workload of this node that sent a packet which now leaves the host's stack, whatever source it carries by now;
 * NULL: it came from elsewhere, or from the node itself. */
static __always_inline const struct address *sender_before_stack(const struct __sk_buff *skb)
{
	__u32 ifindex = skb->ingress_ifindex;

	return ifindex ? bpf_map_lookup_elem(&interfaces, &ifindex) : NULL;
}

/* Judges what leaves the host's stack, where kube-proxy may have given it another destination and another source. Leaves the
 * flow that was judged in scratch. */
static __always_inline enum outcome judge_after_stack(const struct __sk_buff *skb, const struct tuple *tuple)
{
	const struct address *sender = sender_before_stack(skb);
	struct scratch *scratch = scratch_get();
	struct tuple *flow;

	if (!scratch)
		return OUTCOME_DROP_MALFORMED;
	flow = &scratch->flow;
	*flow = *tuple;
	if (sender) {
		flow->source = *sender;
		return judge(flow);
	}
	return judge_from(flow, skb->ingress_ifindex ? LOCAL_SOURCE_IS_MASQUERADED : LOCAL_SOURCE_IS_NODE);
}
