/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../connection/touch.h"
#include "../plan.h"
#include "../tunnel/wrapping.h"
#include "refuse.h"

/* How replies of a client's connection go back when the client's packets begin to enter at another node. The backend's node asks this
 * for packets whose source was just checked. Otherwise, replies through the entry node (tunnel mode) would still go to a node that is
 * lost. */

/* How far a client may be behind the data that the backend has sent: net.ipv4.tcp_wmem allows this much in flight by default. */
#define ACKNOWLEDGED_BEHIND (1u << 22)

/* Other protocols have no such proof. As long as packets come by the known way, a packet that comes by another way does not change it. */
#define WAY_IS_OLD SECOND

/* Whether a packet that comes by another way is from the client itself. Any host can send a packet with a client's address, but only the
 * two ends of a TCP connection know its sequence numbers. Only the way of the replies depends on this: they go to the client's address
 * in any case. */
static __noinline bool is_from_client(const struct packet *packet, const struct connection *connection)
{
	const struct connection *other;
	struct tuple key;

	if (!packet || !connection)
		return false;
	if (packet->tuple.protocol != IPPROTO_TCP)
		return (__s64)(bpf_ktime_get_coarse_ns() - connection->last_seen) >= (__s64)WAY_IS_OLD;
	if (packet_is_syn(packet))
		return (connection->flags & CONNECTION_SYN) && connection->sequence == packet->sequence;
	if (!(packet->tcp_flags & TCP_ACK) || !sequence_fits(connection, packet))
		return false;
	opposite(&key, &packet->tuple, connection);
	other = connection_lookup(&key);
	return other && other->next - acknowledged_by(packet->skb, packet) <= ACKNOWLEDGED_BEHIND;
}

static __always_inline bool is_known_way(const struct connection *connection, const struct wrapping *wrapping)
{
	bool via_entry = wrapping && wrapping->kind == TUNNEL_FORWARD_VIA;

	if (connection->flags & CONNECTION_VIA_ENTRY)
		return via_entry && address_is_equal(&connection->node, &wrapping->node);
	return !via_entry;
}

/* Whether this is the backend's node. It is not if another node wrapped a packet to a service as a packet of the overlay. */
static __always_inline bool has_backend_here(const struct connection *connection)
{
	return (connection->flags & CONNECTION_HOST_BACKEND) || bpf_map_lookup_elem(&endpoints, &connection->address);
}

/* After follow(). @param wrapping as it came from another node, or NULL */
static __step int decide_way_back(const struct packet *packet, const struct wrapping *wrapping, struct plan *plan)
{
	const __u32 elsewhere = CONNECTION_REPLY | CONNECTION_FORWARDED | CONNECTION_DIRECT_RETURN | CONNECTION_MASQUERADED;
	const struct connection *connection;
	struct opening *way;

	if (!packet || !plan || plan->remember != REMEMBER_PACKET)
		return 0;
	connection = packet->connection;
	if (!connection || !connection->backend || (connection->flags & elsewhere) ||
	    (wrapping && !wrapping_is_service(wrapping)) || is_known_way(connection, wrapping) || !has_backend_here(connection))
		return 0;
	plan->origin_is_known = false; /* until then each packet is asked */
	if (is_from_client(packet, connection)) {
		way = opening_draft();
		if (!way)
			return 0;
		way->flags = return_flags(wrapping);
		if (wrapping)
			way->node = wrapping->node;
		plan->origin_is_known = true;
		plan->remember = REMEMBER_MOVE;
	} else if (packet->tuple.protocol != IPPROTO_TCP) { /* the known way must be seen to grow old */
		plan->remember = REMEMBER_NOTHING;
	}
	return 0;
}
