/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../net/hash.h"
#include "../shared/connection.h"

/* Consistent choice (Maglev, NSDI 2016): the agents of all nodes build the same table of a service's backends, and a connection's
 * addresses and ports choose an entry. So every node gives a connection the same backend, even if it did not see the connection begin. */

/* The hash of a connection: the same on every node, without a node's secret. @param by_client only the client counts: with session
 * affinity, all its connections get one backend, at every node */
__global __u32 flow_hash(const struct tuple *flow, bool by_client)
{
	__u32 hash;

	if (!flow)
		return 0;
	hash = hash_address(0, &flow->source);
	if (by_client)
		return hash_end(hash);
	hash = hash_address(hash, &flow->destination);
	hash = hash_in(hash, flow->source_port | (__u32)flow->destination_port << 16);
	return hash_end(hash_in(hash, flow->protocol));
}
