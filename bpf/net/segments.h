/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "packet.h"
#include <linux/tcp.h>
#include <linux/udp.h>

/* Large segments (GSO): one packet here, several on the link. */

#define SEGMENTS_BY_THEIR_OWN_SIZE 0xffff /* in place of a size: SCTP's are cut already (GSO_BY_FRAGS) */

/* Bytes of one segment on the link, without Ethernet; 0: the sender has already cut the segments to size. */
__global int segment_length(struct __sk_buff *skb, __u32 l4_offset, __u32 protocol)
{
	__u32 header = sizeof(struct udphdr);
	__u8 words;

	if (!skb || skb->gso_size == SEGMENTS_BY_THEIR_OWN_SIZE)
		return 0;
	if (protocol == IPPROTO_TCP) {
		if (bpf_skb_load_bytes(skb, l4_offset + offsetof(struct tcphdr, ack_seq) + sizeof(__be32), &words, sizeof(words)))
			return 0;
		header = (words >> 4) * 4;
	}
	return l4_offset - ETH_HLEN + header + skb->gso_size;
}

/* Bytes of all segments on the link, with the headers of each. The number of segments is computed, because the number that a sender
 * gives is not checked. */
static __always_inline __u64 bytes_on_link(struct __sk_buff *skb, __u32 l4_offset, __u32 protocol)
{
	__u32 size = skb->gso_size, length, headers;

	if (!size || size == SEGMENTS_BY_THEIR_OWN_SIZE)
		return skb->len;
	length = segment_length(skb, l4_offset, protocol);
	headers = length - size + ETH_HLEN;
	if (length <= size || skb->len <= headers)
		return skb->len;
	return skb->len + (__u64)((skb->len - headers - 1) / size) * headers;
}

/* Bytes of the packet on the link, without Ethernet. */
static __always_inline __u32 length_on_link(struct __sk_buff *skb, const struct packet *packet)
{
	return skb->gso_size ? segment_length(skb, packet->l4_offset, packet->tuple.protocol) : skb->len - ETH_HLEN;
}
