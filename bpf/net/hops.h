/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "ipv4.h"
#include "ipv6.h"

/* Takes one hop from the packet's TTL. @return 0; another value: the TTL ends here, and nothing was changed */
static __always_inline int decrement_ttl(struct __sk_buff *skb)
{
	return is_ipv6(skb) ? decrement_hop_limit(skb) : decrement_ipv4_ttl(skb);
}
