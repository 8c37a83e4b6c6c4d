/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "packet.h"
#include <linux/ipv6.h>

/* The IPv6 header (RFC 8200) and the extension headers between it and the transport's. */

#define IPV6_MORE_FRAGMENTS 1
#define IPV6_FRAGMENT_OFFSET 0xfff8
#define IPV6_LEAST_MTU 1280 /* RFC 8200, 5 */
#define IPV6_END (ETH_HLEN + sizeof(struct ipv6hdr)) /* where the first header behind it begins */

/* Hop-by-hop options, destination options and the fragment header: each names the next header, and all but the fragment's give a
 * length. The others are not read: routing headers (RFC 5095) name another destination, ESP and AH hide or protect the transport. */
struct ipv6_extension {
	__u8 next;
	__u8 length;   /* in 8 bytes, without the first 8; fragment: reserved */
	__be16 offset; /* fragment: in bytes; the low three bits are flags */
	__be32 identification;
};

/* How far a packet's headers have been read. */
struct ipv6_chain {
	__u32 offset; /* from the Ethernet header, of the header of `protocol` */
	__u8 protocol;
	bool has_options; /* hop-by-hop or destination options */
	bool has_fragment_header;
	__u8 padding;
	__u32 fragment; /* offset and "more fragments" of the fragment header, host byte order; 0: whole */
	__be32 identification;
};

static __always_inline bool is_ipv6(const struct __sk_buff *skb)
{
	return skb->protocol == bpf_htons(ETH_P_IPV6);
}

static __always_inline bool is_readable_extension(__u8 protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_DSTOPTS || protocol == IPPROTO_FRAGMENT;
}

/* One extension header. @return 1: it was read; 0: there is none, or a later fragment's bytes follow; -1: malformed */
static __always_inline int walk_extension(struct __sk_buff *skb, struct ipv6_chain *chain)
{
	struct ipv6_extension extension;

	if (!is_readable_extension(chain->protocol))
		return 0;
	if (bpf_skb_load_bytes(skb, chain->offset, &extension, sizeof(extension)))
		return -1;
	if (chain->protocol == IPPROTO_FRAGMENT) {
		if (chain->has_fragment_header) /* no host sends fragments of fragments */
			return -1;
		chain->has_fragment_header = true;
		chain->identification = extension.identification;
		chain->fragment = bpf_ntohs(extension.offset) & (IPV6_FRAGMENT_OFFSET | IPV6_MORE_FRAGMENTS);
		extension.length = 0;
	} else {
		chain->has_options = true;
	}
	chain->offset += (extension.length + 1) * 8;
	chain->protocol = extension.next;
	return !(chain->fragment & IPV6_FRAGMENT_OFFSET);
}

/* At most four: a packet with more keeps an extension's number as its protocol, which has no ports. Separate function: for the
 * packet's own headers and for those of a packet inside an error. Without a loop: Linux 6.1 refuses the one that Clang makes.
 * @return 0, or -1: malformed */
static __noinline int walk_extensions(struct __sk_buff *skb, struct ipv6_chain *chain)
{
	int more;

	if (!chain)
		return -1;
	more = walk_extension(skb, chain);
	if (more > 0)
		more = walk_extension(skb, chain);
	if (more > 0)
		more = walk_extension(skb, chain);
	if (more > 0)
		more = walk_extension(skb, chain);
	return more < 0 ? -1 : 0;
}

/* Takes one hop from the hop limit. @return 0; -1: the packet ends here, and nothing was changed */
static __always_inline int decrement_hop_limit(struct __sk_buff *skb)
{
	struct ipv6hdr *ip = bytes_at(skb, ETH_HLEN, sizeof(*ip));

	if (!ip || ip->hop_limit <= 1)
		return -1;
	ip->hop_limit--;
	return 0;
}
