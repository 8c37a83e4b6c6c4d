/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../clock.h"
#include "../net/frame.h"
#include "../net/segments.h"
#include "../shared/endpoint.h"

/* To find the next hop of a packet takes several lookups and one in the kernel's routing table, which costs more than everything else.
 * So a connection caches its next hop for a short time. Changes (of a route, a neighbour, a workload's interface, or a backend that
 * leaves) take effect once that time has passed. */
#define NEXT_HOP_LIFETIME 100000000ULL /* ns: 0.1 s */

static __always_inline const struct macs *next_hop_macs(const struct next_hop *hop)
{
	return (const struct macs *)hop->destination_mac;
}

/* The connection, if its next packet may use the cached next hop; otherwise NULL. */
static __always_inline struct connection *next_hop_known(struct connection *connection)
{
	__u64 until, never;

	if (!connection)
		return NULL;
	until = *(volatile __u64 *)&connection->next_hop.until;
	if (packet_time() >= until)
		return NULL;
	/* Reads through the returned pointer must happen after the read of `until`. A processor cannot read from an address before it
	 * knows the address. So the address is made to depend on `until`: its highest bit, which is never set, is added. (On x86, reads
	 * are ordered in any case.) */
	asm volatile("%0 = %1\n\t%0 >>= 63" : "=r"(never) : "r"(until));
	return (void *)connection + never;
}

static __always_inline bool next_hop_is_known(struct connection *connection)
{
	return next_hop_known(connection);
}

/* Whether the packet fits the link with `added` bytes of headers. */
static __always_inline bool next_hop_has_room(const struct next_hop *hop, struct __sk_buff *skb, const struct packet *packet,
					      __u32 added)
{
	return length_on_link(skb, packet) + added <= hop->mtu;
}

#define NEXT_HOP_BEING_WRITTEN 1 /* in place of `until`: long ago */

/* Where to write a next hop: into the connection, or into scratch for this packet only. Never NULL; the verifier does not know that.
 * Another processor must not read a half-written next hop: only one processor writes at a time, never what may be read, and publishes it
 * when everything is written (exchanges are full barriers). */
static __always_inline struct next_hop *next_hop_begin(struct connection *connection)
{
	struct scratch *scratch = scratch_get();
	__u64 until;

	if (connection) {
		until = *(volatile __u64 *)&connection->next_hop.until;
		if (until != NEXT_HOP_BEING_WRITTEN && until <= bpf_ktime_get_coarse_ns() &&
		    __sync_val_compare_and_swap(&connection->next_hop.until, until, NEXT_HOP_BEING_WRITTEN) == until)
			return &connection->next_hop;
	}
	return scratch ? &scratch->next_hop : NULL;
}

static __always_inline const struct next_hop *next_hop_end(struct next_hop *hop, enum next_hop_kind kind)
{
	hop->kind = kind;
	__sync_lock_test_and_set(&hop->until, bpf_ktime_get_coarse_ns() + NEXT_HOP_LIFETIME);
	return hop;
}

static __always_inline const struct next_hop *next_hop_of_endpoint(const struct endpoint *endpoint,
								    struct connection *connection)
{
	struct next_hop *hop = next_hop_begin(connection);

	if (!hop)
		return NULL;
	hop->interface = endpoint->ifindex;
	__builtin_memcpy(hop->destination_mac, endpoint->mac, ETH_ALEN);
	__builtin_memcpy(hop->source_mac, endpoint->host_mac, ETH_ALEN);
	return next_hop_end(hop, NEXT_HOP_ENDPOINT);
}

/* Fills in the next hop from the routing table's answer. @param node that the packet is wrapped for, or NULL */
static __always_inline const struct next_hop *next_hop_of_route(const struct bpf_fib_lookup *route,
								 enum next_hop_kind kind, const struct address *node,
								 struct connection *connection)
{
	struct next_hop *hop = next_hop_begin(connection);

	if (!hop)
		return NULL;
	hop->interface = route->ifindex;
	hop->mtu = route->mtu_result;
	/* The connection's other node, from which its packets come or to which its replies go, does not change with the next hop. */
	if (node && connection && hop == &connection->next_hop &&
	    !(connection->flags & (CONNECTION_FORWARDED | CONNECTION_VIA_ENTRY | CONNECTION_MASQUERADED)))
		connection->node = *node;
	__builtin_memcpy(hop->destination_mac, route->dmac, ETH_ALEN);
	__builtin_memcpy(hop->source_mac, route->smac, ETH_ALEN);
	return next_hop_end(hop, kind);
}

/* Caches the host's stack as the next hop, so that the checks that run with each new next hop do not run for every packet. */
static __always_inline void remember_next_hop_is_stack(struct connection *connection)
{
	struct next_hop *hop;

	if (next_hop_is_known(connection))
		return;
	hop = next_hop_begin(connection);
	if (hop)
		next_hop_end(hop, NEXT_HOP_STACK);
}
