/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "packet.h"

/* What a VXLAN header says between our nodes. VNI, 24 bits: two of kind, 22 high bits of the backend's id. Group policy
 * id (draft-smith-vxlan-group-policy), 16 bits: the 10 low ones. Without a backend the VNI of the overlay is VNI_OVERLAY
 * and there is no group. */

#define KIND_SHIFT 22
#define BACKEND_LOW_BITS 10
#define BACKEND_LOW_MASK ((1u << BACKEND_LOW_BITS) - 1)

/* What a packet from another node was wrapped in. */
struct wrapping {
	struct address node; /* who wrapped it */
	__u32 vni;
	__u32 group;
};

static __always_inline __u32 wrapping_vni(enum tunnel_kind kind, __u32 backend)
{
	if (kind == TUNNEL_OVERLAY)
		return VNI_OVERLAY;
	return (__u32)kind << KIND_SHIFT | backend >> BACKEND_LOW_BITS;
}

static __always_inline __u32 wrapping_group(__u32 backend)
{
	return backend & BACKEND_LOW_MASK;
}

static __always_inline enum tunnel_kind wrapped_kind(const struct wrapping *wrapping)
{
	return wrapping->vni >> KIND_SHIFT;
}

/* The backend that the entry node chose; 0: none was named. */
static __always_inline __u32 wrapped_backend(const struct wrapping *wrapping)
{
	return wrapping->vni << BACKEND_LOW_BITS | (wrapping->group & BACKEND_LOW_MASK);
}
