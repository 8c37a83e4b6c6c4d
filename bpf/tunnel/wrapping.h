/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../net/packet.h"
#include "../shared/connection.h"
#include "../shared/settings.h"

/* What a packet is wrapped in, on its way to another node or from there, whatever the encapsulation. */
struct wrapping {
	struct address node; /* the other one */
	__u32 kind;	     /* enum tunnel_kind */
	__u32 backend;	     /* FORWARD: the entry node's choice, 0: none was named; RETURN: 0 or RETURN_LARGE; OVERLAY: 0 */
};

/* A reply on its way back through the entry node leaves that node again: as large segments (GSO) it must not look wrapped
 * any more, which only the kernel's device can do. So that none of a connection's packets overtakes another, the first
 * large one sends all later ones that way, and says so in place of a backend. */
#define RETURN_LARGE (1u << 10)

static __always_inline bool wrapping_is_service(const struct wrapping *wrapping)
{
	return wrapping->kind == TUNNEL_FORWARD_VIA || wrapping->kind == TUNNEL_FORWARD_DIRECT;
}

/* Which packets may follow a connection: those of a client that an entry node forwarded only one that was opened so. What
 * was wrapped is never forwarded again: two nodes that took each other for the backend's would never stop. */
static __always_inline bool may_follow(__u32 connection_flags, enum tunnel_kind kind)
{
	if (connection_flags & CONNECTION_FORWARDED)
		return false;
	return kind == TUNNEL_OVERLAY || (connection_flags & (CONNECTION_VIA_ENTRY | CONNECTION_DIRECT_RETURN));
}

/* What stands in place of a backend for a reply of `connection`. */
static __always_inline __u32 return_detail(struct __sk_buff *skb, struct connection *connection)
{
	if (skb->gso_size && !(connection->flags & CONNECTION_LARGE))
		__sync_fetch_and_or(&connection->flags, CONNECTION_LARGE);
	return connection->flags & CONNECTION_LARGE ? RETURN_LARGE : 0;
}
