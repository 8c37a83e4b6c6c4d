/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../net/route.h"

/* Finding out where a packet goes costs several lookups and a question to the kernel's routing table, more than all else
 * that is done with it. So a connection remembers the answer for a moment. What changes meanwhile (a route, a neighbour, a
 * workload's interface, a backend that leaves) is followed that much later. */
#define WAY_LIFETIME 100000000ULL /* ns: 0.1 s */

/* Both hardware addresses of an Ethernet header. Aligned, so that they are copied in three pieces, not in twelve. */
struct macs {
	__u8 byte[2 * ETH_ALEN];
} __attribute__((aligned(4)));

static __always_inline const struct macs *way_macs(const struct way *way)
{
	return (const struct macs *)way->destination_mac;
}

/* The connection, when its next packet may go as the last one did; else NULL. */
static __always_inline struct connection *way_known(struct connection *connection)
{
	__u64 until, never;

	if (!connection)
		return NULL;
	until = *(volatile __u64 *)&connection->way.until;
	if (bpf_ktime_get_coarse_ns() >= until)
		return NULL;
	/* What is read by this pointer must be read after `until`. No processor reads before it has the address, and this one
	 * is made of `until`: we add its highest bit, which is never set. (On x86 reads keep their order anyway.) */
	asm volatile("%0 = %1\n\t%0 >>= 63" : "=r"(never) : "r"(until));
	return (void *)connection + never;
}

static __always_inline bool way_is_known(struct connection *connection)
{
	return way_known(connection);
}

/* What is larger than the link, with `added` bytes of headers, is the kernel's to handle; large segments are cut later. */
static __always_inline bool way_has_room(const struct way *way, const struct __sk_buff *skb, __u32 added)
{
	return skb->gso_size || skb->len - ETH_HLEN + added <= way->mtu;
}

#define WAY_BEING_WRITTEN 1 /* in place of `until`: long ago */

/* Where a way is written that is not known: the connection's own, or for this packet only. NULL never, but for the
 * verifier. Another processor must not take half of it: one writes, nobody writes what may be read, and it is known when
 * all is written (exchanges are full barriers). */
static __always_inline struct way *way_begin(struct connection *connection)
{
	struct scratch *scratch = scratch_get();
	__u64 until;

	if (connection) {
		until = *(volatile __u64 *)&connection->way.until;
		if (until != WAY_BEING_WRITTEN && until <= bpf_ktime_get_coarse_ns() &&
		    __sync_val_compare_and_swap(&connection->way.until, until, WAY_BEING_WRITTEN) == until)
			return &connection->way;
	}
	return scratch ? &scratch->way : NULL;
}

static __always_inline const struct way *way_end(struct way *way, enum way_kind kind)
{
	way->kind = kind;
	__sync_lock_test_and_set(&way->until, bpf_ktime_get_coarse_ns() + WAY_LIFETIME);
	return way;
}

static __always_inline const struct way *way_of_endpoint(const struct endpoint *endpoint, struct connection *connection)
{
	struct way *way = way_begin(connection);

	if (!way)
		return NULL;
	way->interface = endpoint->ifindex;
	__builtin_memcpy(way->destination_mac, endpoint->mac, ETH_ALEN);
	__builtin_memcpy(way->source_mac, endpoint->host_mac, ETH_ALEN);
	return way_end(way, WAY_TO_ENDPOINT);
}

/* From what the routing table answered. @param node what packets are wrapped for, or NULL */
static __always_inline const struct way *way_of_route(const struct bpf_fib_lookup *route, enum way_kind kind,
						      const struct address *node, struct connection *connection)
{
	struct way *way = way_begin(connection);

	if (!way)
		return NULL;
	way->interface = route->ifindex;
	way->mtu = route->mtu_result;
	if (node && connection && way == &connection->way)
		connection->node = *node;
	__builtin_memcpy(way->destination_mac, route->dmac, ETH_ALEN);
	__builtin_memcpy(way->source_mac, route->smac, ETH_ALEN);
	return way_end(way, kind);
}

/* So that what is asked with the way is not asked for every packet. */
static __always_inline void remember_way_to_stack(struct connection *connection)
{
	struct way *way;

	if (way_is_known(connection))
		return;
	way = way_begin(connection);
	if (way)
		way_end(way, WAY_TO_STACK);
}
