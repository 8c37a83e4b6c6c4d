/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "locate.h"
#include "maps/egress.h"
#include "net/packet.h"
#include "scratch.h"
#include "settings.h"

/* The node by whose address a workload's packets leave the cluster, if that is not the workload's own node. */

/* Whether a destination is outside the cluster. @param flags of its location */
static __always_inline bool is_outside_cluster(const struct address *destination, __u32 flags)
{
	const __u32 never = LOCATION_POOL | LOCATION_LOCAL_HOST | LOCATION_REMOTE_HOST | LOCATION_BROADCAST | LOCATION_BLACKHOLE;

	return !(flags & never) && !is_for_many(destination);
}

static __always_inline bool has_egress(const struct settings *settings)
{
	return settings->flags & SETTINGS_EGRESS;
}

/* How a workload's packets to a destination leave. By copies of the addresses, because 6.1 takes no argument of a global function as a
 * key. @return enum egress_how; its address is in scratch */
__global int find_egress(const struct address *workload, const struct address *destination)
{
	const struct settings *settings = settings_get();
	struct scratch *scratch = scratch_get();
	const struct egress_way *way;
	struct egress_key key = {};
	const __u32 *group;

	if (!workload || !destination || !scratch)
		return EGRESS_PLAIN;
	__builtin_memset(&scratch->egress, 0, sizeof(scratch->egress));
	if (!settings || !has_egress(settings))
		return EGRESS_PLAIN;
	key.destination = *workload;
	group = bpf_map_lookup_elem(&egress_groups, &key.destination);
	if (!group)
		return EGRESS_PLAIN;
	key.prefix_length = 32 + 128;
	key.group = *group;
	key.destination = *destination;
	if (!is_outside_cluster(destination, location_flags(locate(&key.destination))))
		return EGRESS_PLAIN;
	way = bpf_map_lookup_elem(&egress_ways, &key);
	if (!way)
		return EGRESS_PLAIN;
	scratch->egress = way->address;
	return way->how;
}

/* Whether a node is ready as a gateway of any group. */
static __always_inline bool is_gateway(const struct address *node)
{
	struct egress_key key = {.prefix_length = 32 + 128, .group = EGRESS_GATEWAYS, .destination = *node};

	return bpf_map_lookup_elem(&egress_ways, &key);
}

/* Whether a connection leaves, or has left, the cluster by another node, as seen at the workload's node. */
static __always_inline bool is_by_gateway(const struct connection *connection)
{
	return (connection->flags & (CONNECTION_BY_GATEWAY | CONNECTION_MASQUERADED)) == CONNECTION_BY_GATEWAY;
}

/* Whether the packet is an answer of such a connection, wrapped by its gateway. */
static __always_inline bool is_answer_of_gateway(const struct connection *connection, const struct address *node)
{
	return connection && is_by_gateway(connection) && (connection->flags & CONNECTION_REPLY) &&
	       address_is_equal(&connection->node, node);
}

/* Whether a connection's packets may no longer go the way they went. A connection with a handshake depends on its gateway. A datagram
 * goes where a new one would go. Not asked for every packet: see connection/next_hop.h. */
__global bool has_other_egress(const struct tuple *tuple, const struct connection *connection)
{
	const struct settings *settings = settings_get();
	struct scratch *scratch = scratch_get();
	__u32 flags;
	int how;

	if (!tuple || !connection || !settings || !scratch)
		return false;
	flags = connection->flags;
	if (flags & (CONNECTION_REPLY | CONNECTION_FORWARDED | CONNECTION_JUDGED_LATER))
		return false;
	if (has_handshake(tuple->protocol))
		return is_by_gateway(connection) && !is_gateway(&connection->node);
	if (!has_egress(settings) && !is_by_gateway(connection))
		return false;
	how = find_egress(&tuple->source, &connection->address);
	if (how == EGRESS_NODE)
		return !is_by_gateway(connection) || !address_is_equal(&connection->node, &scratch->egress);
	if (is_by_gateway(connection) || how == EGRESS_NONE)
		return true;
	if (how != EGRESS_HERE)
		return (flags & (CONNECTION_BY_GATEWAY | CONNECTION_MASQUERADED)) == (CONNECTION_BY_GATEWAY | CONNECTION_MASQUERADED);
	return !(flags & CONNECTION_MASQUERADED) ||
	       (!address_is_unset(&scratch->egress) && !address_is_equal(&connection->node, &scratch->egress));
}
