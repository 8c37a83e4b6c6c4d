/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "locate.h"

/* One direction of one endpoint's policy towards `peer`: at most three lookups, however many policies there are.
 * A workload and its own node always reach each other (kubelet's probes; Kubernetes' rule). */
static __always_inline bool policy_allows(const struct endpoint *endpoint, enum direction direction,
					  const struct address *peer, const struct tuple *tuple)
{
	__u32 isolated = direction == DIRECTION_INGRESS ? ENDPOINT_INGRESS_ISOLATED : ENDPOINT_EGRESS_ISOLATED;
	struct policy_key key = {
		.prefix_length = 96,
		.policy = endpoint->policy,
		.direction = direction,
		.protocol = tuple->protocol,
		.port = tuple->protocol == IPPROTO_ICMP ? 0 : tuple->destination_port,
	};
	const struct policy_value *value;
	const struct location *location;

	if (!(endpoint->flags & isolated))
		return true;
	location = locate(peer);
	if (location_flags(location) & LOCATION_LOCAL_HOST)
		return true;
	key.identity = location ? location->identity : 0;
	value = bpf_map_lookup_elem(&policies, &key);
	if (!value) {
		key.identity = POLICY_ANY_IDENTITY;
		value = bpf_map_lookup_elem(&policies, &key);
	}
	return value && value->verdict == POLICY_ALLOW;
}

/* Judges a connection by the policies of those of its two ends that live on this node. `flow` is the tuple after
 * translation: policies speak of workloads, not of services. Returns OUTCOME_TO_ENDPOINT when allowed, else the
 * reason for the drop. */
static __noinline enum outcome judge(const struct tuple *flow)
{
	const struct endpoint *endpoint;

	if (!flow)
		return OUTCOME_DROP_MALFORMED;
	endpoint = bpf_map_lookup_elem(&endpoints, &flow->source);
	if (endpoint && !policy_allows(endpoint, DIRECTION_EGRESS, &flow->destination, flow))
		return OUTCOME_DROP_POLICY_EGRESS;
	endpoint = bpf_map_lookup_elem(&endpoints, &flow->destination);
	if (endpoint && !policy_allows(endpoint, DIRECTION_INGRESS, &flow->source, flow))
		return OUTCOME_DROP_POLICY_INGRESS;
	return OUTCOME_TO_ENDPOINT;
}
