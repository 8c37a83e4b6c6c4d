/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "wrapping.h"

/* The VXLAN header (RFC 7348) between our nodes. VNI, 24 bits: two bits of kind, 22 high bits of the backend's id. Group policy id
 * (draft-smith-vxlan-group-policy), 16 bits: the 10 low bits of the id. Without a backend the VNI of the overlay is VNI_OVERLAY, and
 * there is no group. */

#define VXLAN_PORT 4789
#define VXLAN_HAS_VNI 0x08000000   /* flag I */
#define VXLAN_HAS_GROUP 0x80000000 /* flag G */
#define VXLAN_SHIFT 8

#define KIND_SHIFT 22
#define BACKEND_LOW_BITS 10
#define BACKEND_LOW_MASK ((1u << BACKEND_LOW_BITS) - 1)

struct vxlan_header {
	__be32 flags_and_group;
	__be32 vni;
};

/* For the port of our tunnels. */
static __always_inline bool is_tunnel_packet(const struct tuple *tuple)
{
	return tuple->protocol == IPPROTO_UDP && tuple->destination_port == bpf_htons(VXLAN_PORT);
}

static __always_inline __u32 vni_of(const struct wrapping *wrapping)
{
	return wrapping->kind == TUNNEL_OVERLAY ? VNI_OVERLAY
						: wrapping->kind << KIND_SHIFT | wrapping->backend >> BACKEND_LOW_BITS;
}

static __always_inline __u32 group_of(const struct wrapping *wrapping)
{
	return wrapping->backend & BACKEND_LOW_MASK;
}

/* The wrapping that a header names. The overlay of other software has a `backend` that is not 0. */
static __always_inline struct wrapping wrapping_in(const struct address *node, __u32 vni, __u32 group)
{
	__u32 kind = vni >> KIND_SHIFT;

	return (struct wrapping){
		.node = *node,
		.kind = kind,
		.encapsulation = ENCAPSULATION_VXLAN,
		.backend = kind == TUNNEL_OVERLAY ? vni ^ VNI_OVERLAY
						  : vni << BACKEND_LOW_BITS | (group & BACKEND_LOW_MASK),
	};
}
