/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../net/packet.h"
#include "../shared/connection.h"
#include "../shared/settings.h"

/* How a packet is wrapped on its way to or from another node, for any encapsulation. */
struct wrapping {
	struct address node; /* the other one */
	__u32 kind;	     /* enum tunnel_kind */
	__u32 encapsulation; /* enum encapsulation */
	__u32 backend;	     /* FORWARD: the entry node's choice, 0: none was named; RETURN: 0 or RETURN_LARGE; OVERLAY: 0 */
};

/* A reply on its way back through the entry node leaves that node again. As large segments (GSO) it must no longer be marked as wrapped,
 * and only the kernel's device can clear that mark. So that no packet of a connection overtakes another, all packets after the first
 * large one go through the device. This value in place of a backend asks for that. */
#define RETURN_LARGE (1u << 10)

static __always_inline bool wrapping_is_service(const struct wrapping *wrapping)
{
	return wrapping->kind == TUNNEL_FORWARD_VIA || wrapping->kind == TUNNEL_FORWARD_DIRECT;
}

/* Whether a wrapped packet may follow a connection. A packet that an entry node forwarded follows only a client's connection to a
 * service, which may have entered before at this node or at another one.
 * Wrapped packets are never forwarded again: otherwise, two nodes that each took the other one for the backend's node would send a
 * packet back and forth. */
static __always_inline bool may_follow(const struct connection *connection, enum tunnel_kind kind)
{
	__u32 flags = connection->flags;

	if (flags & CONNECTION_FORWARDED)
		return false;
	return kind == TUNNEL_OVERLAY || (flags & (CONNECTION_VIA_ENTRY | CONNECTION_DIRECT_RETURN)) ||
	       (connection->backend && !(flags & (CONNECTION_REPLY | CONNECTION_MASQUERADED)));
}

/* The value in place of a backend in the outer headers of a reply of `connection`. */
static __always_inline __u32 return_detail(struct __sk_buff *skb, struct connection *connection)
{
	if (skb->gso_size && !(connection->flags & CONNECTION_LARGE))
		__sync_fetch_and_or(&connection->flags, CONNECTION_LARGE);
	return connection->flags & CONNECTION_LARGE ? RETURN_LARGE : 0;
}
