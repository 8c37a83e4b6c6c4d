/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../net/ipv4.h"
#include "../scratch.h"

/* What the outer headers of all encapsulations have in common. */

/* RFC 6040, normal mode, like the kernel's tunnels: the outer header gets the capability of the inner one, but not its mark of
 * congestion. */
static __always_inline __u8 outer_ecn(__u8 inner)
{
	return (inner & IP_ECN_MASK) == IP_ECN_CONGESTED ? IP_ECN_CAPABLE : inner & IP_ECN_MASK;
}

/* The ECN bits of an IP header, from its first two bytes: IPv6's traffic class begins 4 bits earlier than IPv4's. */
static __always_inline __u8 ecn_of(const void *ip)
{
	__u16 first = bpf_ntohs(*(const __be16 *)ip);

	return (first >> 12 == 6 ? first >> 4 : first) & IP_ECN_MASK;
}

/* The identification of the next packet. Packets of one sender that may be fragmented have different identifications for as long as
 * possible (RFC 6864, 4.3). Each processor counts alone. */
static __always_inline __be16 outer_identification(void)
{
	struct scratch *scratch = scratch_get();

	return scratch ? ++scratch->identification + (bpf_get_smp_processor_id() << 11) : 0;
}
