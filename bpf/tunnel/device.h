/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../locate.h"
#include "../scratch.h"
#include "vxlan_header.h"

/* The kernel's own tunnel device, which fragments packets that are too large and resolves neighbours. */

/* Tells the device how to wrap the packet. @return 0, or -1 */
static __always_inline int prepare_device(struct __sk_buff *skb, const struct wrapping *wrapping)
{
	struct scratch *scratch = scratch_get();
	__u32 group = group_of(wrapping);
	struct bpf_tunnel_key *key;
	__u64 flags = BPF_F_ZERO_CSUM_TX;

	if (!scratch)
		return -1;
	key = &scratch->key;
	__builtin_memset(key, 0, sizeof(*key));
	key->tunnel_ttl = 64;
	if (is_ipv4(&wrapping->node)) {
		key->remote_ipv4 = bpf_ntohl(address_to_ipv4(&wrapping->node));
	} else {
		/* IPv6 has no header checksum: a receiver accepts no datagram without a UDP checksum (RFC 8200, 8.1). */
		flags = BPF_F_TUNINFO_IPV6;
		__builtin_memcpy(key->remote_ipv6, &wrapping->node, sizeof(wrapping->node));
	}
	key->tunnel_id = vni_of(wrapping);
	if (bpf_skb_set_tunnel_key(skb, key, sizeof(*key), flags))
		return -1;
	return group && bpf_skb_set_tunnel_opt(skb, &group, sizeof(group)) ? -1 : 0;
}

/* Reads the headers that the device took off. The device accepts packets to any address of this node; only one of these is the tunnel's
 * address. @return false: the packet does not come from one of our nodes */
static __always_inline bool unwrapped_by_device(struct __sk_buff *skb, const struct settings *settings,
						struct wrapping *wrapping)
{
	struct scratch *scratch = scratch_get();
	bool is_over_ipv4 = is_ipv4(&settings->node);
	struct address node;
	__u32 group = 0;

	if (!scratch ||
	    bpf_skb_get_tunnel_key(skb, &scratch->key, sizeof(scratch->key), is_over_ipv4 ? 0 : BPF_F_TUNINFO_IPV6))
		return false;
	if (is_over_ipv4) {
		if (bpf_htonl(scratch->key.local_ipv4) != address_to_ipv4(&settings->node))
			return false;
		node = address_from_ipv4(bpf_htonl(scratch->key.remote_ipv4));
	} else {
		if (!address_is_equal((const struct address *)scratch->key.local_ipv6, &settings->node))
			return false;
		node = *(const struct address *)scratch->key.remote_ipv6;
	}
	bpf_skb_get_tunnel_opt(skb, &group, sizeof(group));
	*wrapping = wrapping_in(&node, scratch->key.tunnel_id, group);
	return location_flags(locate(&wrapping->node)) & LOCATION_REMOTE_HOST;
}
