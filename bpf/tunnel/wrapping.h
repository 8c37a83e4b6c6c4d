/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../shared/connection.h"
#include "../shared/settings.h"
#include "../net/address.h"
#include <linux/bpf.h>

/* What a VXLAN header says between our nodes. VNI, 24 bits: two of kind, 22 high bits of the backend's id. Group policy
 * id (draft-smith-vxlan-group-policy), 16 bits: the 10 low ones. Without a backend the VNI of the overlay is VNI_OVERLAY
 * and there is no group. */

#define KIND_SHIFT 22
#define BACKEND_LOW_BITS 10
#define BACKEND_LOW_MASK ((1u << BACKEND_LOW_BITS) - 1)

/* A reply on its way back through the entry node leaves that node again: as large segments (GSO) it must not look wrapped
 * any more, which only the kernel's device can do. So that none of a connection's packets overtakes another, the first
 * large one sends all later ones that way; this bit of the VNI says so. */
#define VNI_RETURN_LARGE 1

/* What a packet is wrapped in, on its way to another node or from there. */
struct wrapping {
	struct address node; /* the other one */
	__u32 vni;
	__u32 group;
};

/* @param backend the entry node's choice; 0: none */
static __always_inline struct wrapping wrapping_for(const struct address *node, enum tunnel_kind kind, __u32 backend)
{
	return (struct wrapping){
		.node = *node,
		.vni = kind == TUNNEL_OVERLAY ? VNI_OVERLAY : (__u32)kind << KIND_SHIFT | backend >> BACKEND_LOW_BITS,
		.group = backend & BACKEND_LOW_MASK,
	};
}

static __always_inline enum tunnel_kind wrapped_kind(const struct wrapping *wrapping)
{
	return wrapping->vni >> KIND_SHIFT;
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
	return connection->flags & CONNECTION_LARGE ? VNI_RETURN_LARGE << BACKEND_LOW_BITS : 0;
}

/* The backend that the entry node chose; 0: none was named. Not for the overlay. */
static __always_inline __u32 wrapped_backend(const struct wrapping *wrapping)
{
	return wrapping->vni << BACKEND_LOW_BITS | (wrapping->group & BACKEND_LOW_MASK);
}
