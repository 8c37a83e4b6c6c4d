/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "ipv4.h"
#include "ipv6.h"
#include <linux/tcp.h>
#include <linux/udp.h>

/* Rewrites one end of the packet. Checksums follow incrementally (RFC 1624), so a packet whose checksum is still to
 * be computed (CHECKSUM_PARTIAL) stays right: the address is part of the pseudo header, the port is not. */
enum packet_end {
	END_SOURCE,
	END_DESTINATION,
};

#define ICMP_CHECKSUM 2 /* offset in the header of ICMP, of both families */

/* Where the checksum over the pseudo header is; 0: the protocol has none that is known. */
static __always_inline __u32 checksum_offset(const struct packet *packet)
{
	switch (packet->tuple.protocol) {
	case IPPROTO_TCP:
		return packet->l4_offset + offsetof(struct tcphdr, check);
	case IPPROTO_UDP:
		return packet->l4_offset + offsetof(struct udphdr, check);
	case IPPROTO_ICMPV6:
		return packet->l4_offset + ICMP_CHECKSUM;
	default:
		return 0;
	}
}

/* The IPv6 header has no checksum of its own. Where a network card has summed the whole packet (CHECKSUM_COMPLETE),
 * bpf_l4_csum_replace() changes that sum as for IPv4, whose header's checksum balances the address; here the transport's does, so
 * the sum of the packet stays what it was: bpf_csum_update() puts it back, and fails where there is none. Separate function, so that
 * IPv4 does not carry its frame. */
static __noinline int rewrite_ipv6_address(const struct packet *packet, const struct address *old, const struct address *new,
					   __u32 end)
{
	struct __sk_buff *skb;
	__u64 flags;
	__u32 checksum;
	__s64 difference;

	if (!packet || !old || !new)
		return -1;
	skb = packet->skb;
	checksum = checksum_offset(packet);
	flags = BPF_F_PSEUDO_HDR | (packet->tuple.protocol == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0);
	if (packet->l4_present && checksum) {
		difference = bpf_csum_diff((__be32 *)old, sizeof(*old), (__be32 *)new, sizeof(*new), 0);
		if (bpf_l4_csum_replace(skb, checksum, 0, difference, flags))
			return -1;
		bpf_csum_update(skb, difference);
	}
	return bpf_skb_store_bytes(skb,
				   ETH_HLEN + (end == END_SOURCE ? offsetof(struct ipv6hdr, saddr) : offsetof(struct ipv6hdr, daddr)),
				   new, sizeof(*new), 0);
}

static __always_inline int rewrite_ipv4_address(const struct packet *packet, __be32 old, __be32 new, __u32 end)
{
	struct __sk_buff *skb = packet->skb;
	__u32 checksum = checksum_offset(packet);
	__u64 flags = BPF_F_PSEUDO_HDR | (packet->tuple.protocol == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0) | sizeof(new);

	if (packet->l4_present && checksum && bpf_l4_csum_replace(skb, checksum, old, new, flags))
		return -1;
	if (bpf_l3_csum_replace(skb, IP_OFFSET + offsetof(struct iphdr, check), old, new, sizeof(new)))
		return -1;
	return bpf_skb_store_bytes(
		skb, IP_OFFSET + (end == END_SOURCE ? offsetof(struct iphdr, saddr) : offsetof(struct iphdr, daddr)), &new,
		sizeof(new), 0);
}

/* @param ports the old one, and in the low half the new one */
static __noinline int rewrite(const struct packet *packet, const struct address *old, const struct address *new, __u32 end,
			      __u32 ports)
{
	struct __sk_buff *skb = packet->skb;
	bool udp = packet->tuple.protocol == IPPROTO_UDP;
	__be16 old_port = ports >> 16, new_port = ports;

	if (!old || !new)
		return -1;
	if (!address_is_equal(old, new)) {
		if (is_ipv4(new) == is_ipv6(skb)) /* addresses are not translated between families */
			return -1;
		if (is_ipv6(skb) ? rewrite_ipv6_address(packet, old, new, end)
				 : rewrite_ipv4_address(packet, address_to_ipv4(old), address_to_ipv4(new), end))
			return -1;
	}
	if (old_port == new_port || !packet->l4_present || (packet->tuple.protocol != IPPROTO_TCP && !udp))
		return 0;
	if (bpf_l4_csum_replace(skb, checksum_offset(packet), old_port, new_port,
				(udp ? BPF_F_MARK_MANGLED_0 : 0) | sizeof(new_port)))
		return -1;
	return bpf_skb_store_bytes(skb, packet->l4_offset + end * sizeof(new_port), &new_port, sizeof(new_port), 0);
}

/* Both keep packet->tuple in step, so that what follows sees the packet as it now is. */
static __always_inline int rewrite_source(struct packet *packet, const struct address *address, __be16 port)
{
	int result = rewrite(packet, &packet->tuple.source, address, END_SOURCE, (__u32)packet->tuple.source_port << 16 | port);

	packet->tuple.source = *address;
	packet->tuple.source_port = port;
	return result;
}

static __always_inline int rewrite_destination(struct packet *packet, const struct address *address, __be16 port)
{
	int result = rewrite(packet, &packet->tuple.destination, address, END_DESTINATION,
			     (__u32)packet->tuple.destination_port << 16 | port);

	packet->tuple.destination = *address;
	packet->tuple.destination_port = port;
	return result;
}
