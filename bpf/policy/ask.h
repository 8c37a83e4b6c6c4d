/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../scratch.h"
#include "../shared/policy.h"
#include "sender.h"

/* The verdict of a compiled policy, found with the same few lookups however many rules the policy has. */

/* Two lookups, and a third if the source port decides. `key` has all fields but the identity. NULL: no entry matched, so the policy
 * denies. */
static __always_inline const struct policy_value *policy_lookup(struct policy_key *key, __u32 identity, __be16 source_port,
								struct judgement *judgement)
{
	const struct policy_value *value;

	key->identity = identity;
	value = bpf_map_lookup_elem(&policies, key);
	if (!value) {
		key->identity = POLICY_ANY_IDENTITY;
		value = bpf_map_lookup_elem(&policies, key);
	}
	if (!value || value->verdict != POLICY_BY_SOURCE_PORT)
		return value;
	judgement->by_source_port = true;
	key->direction |= POLICY_SOURCE_PORT;
	key->identity = value->rule;
	key->port = source_port;
	return bpf_map_lookup_elem(&policies, key);
}

/* The policy of an endpoint whose rules depend on the identity of the flow's end on the endpoint's side. */
static __always_inline __u32 policy_at_own_side(__u32 policy, enum direction direction, const struct tuple *flow,
						const struct scratch *scratch)
{
	const struct address *own = direction == DIRECTION_INGRESS ? &flow->destination : &flow->source;
	struct policy_key key = {
		.prefix_length = 96,
		.policy = policy,
		.identity = peer_at(own, scratch).identity,
		.direction = direction | POLICY_OWN_SIDE,
	};
	const struct policy_value *value = bpf_map_lookup_elem(&policies, &key);

	return value ? value->rule : policy;
}

static __always_inline bool is_isolated(const struct endpoint *endpoint, enum direction direction)
{
	return endpoint->flags & (direction == DIRECTION_INGRESS ? ENDPOINT_INGRESS_ISOLATED : ENDPOINT_EGRESS_ISOLATED);
}

/* Asks one direction of an endpoint's policy about a flow. The answer is in `judgement`. @param identity of the other end */
static __always_inline void policy_ask(const struct endpoint *endpoint, enum direction direction, const struct tuple *flow,
				       __u32 identity, struct judgement *judgement, const struct scratch *scratch)
{
	__u32 policy = endpoint->flags & ENDPOINT_BY_OWN_SIDE ? policy_at_own_side(endpoint->policy, direction, flow, scratch)
							      : endpoint->policy;
	struct policy_key key = {
		.prefix_length = 96,
		.policy = policy,
		.direction = direction,
		.protocol = flow->protocol,
		.port = flow->destination_port,
	};
	const struct policy_value *value;

	judgement->policy = policy;
	judgement->identity = identity;
	value = policy_lookup(&key, identity, flow->source_port, judgement);
	judgement->verdict = POLICY_DENY;
	if (!value)
		return;
	judgement->flags = value->flags;
	judgement->rule = value->rule;
	if (value->verdict == POLICY_ALLOW || value->verdict == POLICY_NEXT)
		judgement->verdict = value->verdict;
}
