/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "frame.h"
#include "icmp.h"
#include "rewrite.h"

/* Turns a packet into the ICMP error about it that a router sends (RFC 792, RFC 4443). For packets that the node's own stack must not
 * see: they are sent on as they came, and their destination may be an address of this node. */

#define QUOTED 512 /* bytes of the packet that the error carries, at most; a multiple of 4. RFC 1812, 4.3.2.3: 548 */

/* In scratch: too large for the stack. */
struct error_draft {
	struct address source;	 /* of the error, and its destination, side by side as in IPv6 */
	struct address receiver;
	__u32 mtu;		 /* PACKET TOO BIG: what fits; 0: TIME EXCEEDED */
	__u16 l4_offset;	 /* of the packet */
	__u8 protocol;
	__u8 l4_present;
	__u8 quoted[QUOTED];
};

struct ipv4_error {
	struct iphdr ip;
	struct icmp_header icmp;
};

struct ipv6_error {
	struct ipv6hdr ip;
	struct icmp_header icmp;
};

/* Whether the packet's checksum is still to be computed (CHECKSUM_PARTIAL): the sender is on the same machine. No field says that,
 * but such a checksum does not follow a change of the payload. @return 1: it is, and holds `pseudo`; 0: it is not; -1: unreadable */
static __always_inline int checksum_is_open(struct __sk_buff *skb, const struct error_draft *draft, __u16 *pseudo)
{
	struct rewritten change = {.l4_offset = draft->l4_offset, .protocol = draft->protocol};
	__u32 offset = draft->protocol == IPPROTO_ICMPV6 ? 0 : checksum_offset(&change);
	__u16 changed;

	if (!offset)
		return 0;
	if (bpf_skb_load_bytes(skb, offset, pseudo, sizeof(*pseudo)) ||
	    bpf_l4_csum_replace(skb, offset, 0, bpf_htons(1), sizeof(*pseudo)) ||
	    bpf_skb_load_bytes(skb, offset, &changed, sizeof(changed)))
		return -1;
	if (changed == *pseudo)
		return 1;
	return bpf_skb_store_bytes(skb, offset, pseudo, sizeof(*pseudo), 0) ? -1 : 0;
}

/* Cuts the packet to what the error carries. @return its sum, or -1. If the packet's checksum is still to be computed, the sum from the
 * transport's header on becomes the complement of the value that the checksum field has now. */
static __always_inline __s64 quote(struct __sk_buff *skb, struct error_draft *draft)
{
	__u32 length = skb->len - ETH_HLEN;
	__u16 pseudo = 0;
	int open;

	if (length > QUOTED)
		length = QUOTED;
	if (bpf_skb_change_tail(skb, ETH_HLEN + length, 0))
		return -1;
	open = checksum_is_open(skb, draft, &pseudo);
	if (open < 0)
		return -1;
	if (open)
		length = draft->l4_offset - ETH_HLEN;
	__builtin_memset(draft->quoted, 0, sizeof(draft->quoted));
	if (length > QUOTED)
		return -1;
	asm volatile("" : "+r"(length)); /* Clang makes one comparison of both, in which 6.1's verifier loses the lower limit */
	if (length < sizeof(struct iphdr) || bpf_skb_load_bytes(skb, ETH_HLEN, draft->quoted, length))
		return -1;
	return bpf_csum_diff(NULL, 0, (__be32 *)draft->quoted, QUOTED, open ? (__u16)~pseudo : 0);
}

static __always_inline int write_ipv4_error(struct __sk_buff *skb, const struct error_draft *draft, __s64 sum)
{
	struct ipv4_error error = {
		.ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_ICMP},
		.icmp = {.type = draft->mtu ? ICMP_UNREACHABLE : ICMP_TIME_EXCEEDED, .code = draft->mtu ? ICMP_FRAG_NEEDED : 0},
	};

	error.ip.tot_len = bpf_htons(skb->len - ETH_HLEN + sizeof(error));
	error.ip.saddr = address_to_ipv4(&draft->source);
	error.ip.daddr = address_to_ipv4(&draft->receiver);
	error.ip.check = ip_checksum(&error.ip);
	error.icmp.sequence = bpf_htons(draft->mtu); /* RFC 1191 */
	error.icmp.checksum = folded(bpf_csum_diff(NULL, 0, (__be32 *)&error.icmp, sizeof(error.icmp), sum));
	if (bpf_skb_adjust_room(skb, sizeof(error), BPF_ADJ_ROOM_MAC, 0))
		return -1;
	return bpf_skb_store_bytes(skb, ETH_HLEN, &error, sizeof(error), BPF_F_RECOMPUTE_CSUM);
}

static __always_inline int write_ipv6_error(struct __sk_buff *skb, const struct error_draft *draft, __s64 sum)
{
	struct ipv6_error error = {
		.ip = {.version = 6, .hop_limit = 64, .nexthdr = IPPROTO_ICMPV6},
		.icmp = {.type = draft->mtu ? ICMPV6_TOO_BIG : ICMPV6_TIME_EXCEEDED},
	};
	__u16 length = skb->len - ETH_HLEN + sizeof(error.icmp);
	__be32 pseudo = bpf_htonl(length + IPPROTO_ICMPV6); /* of the header that is summed only, beside the addresses */

	error.ip.payload_len = bpf_htons(length);
	__builtin_memcpy(&error.ip.saddr, &draft->source, 2 * sizeof(struct address));
	error.icmp.sequence = bpf_htons(draft->mtu); /* the low half of 32 bits: RFC 4443, 3.2 */
	sum = bpf_csum_diff(NULL, 0, &pseudo, sizeof(pseudo), sum);
	sum = bpf_csum_diff(NULL, 0, (__be32 *)&error.ip.saddr, 2 * sizeof(struct address), sum);
	error.icmp.checksum = folded(bpf_csum_diff(NULL, 0, (__be32 *)&error.icmp, sizeof(error.icmp), sum));
	if (bpf_skb_adjust_room(skb, sizeof(error), BPF_ADJ_ROOM_MAC, 0))
		return -1;
	return bpf_skb_store_bytes(skb, ETH_HLEN, &error, sizeof(error), BPF_F_RECOMPUTE_CSUM);
}

/* The error goes to the sender of the frame: the packet's sender or the router in front of it. */
static __always_inline int turn_frame_around(struct __sk_buff *skb)
{
	struct ethhdr *ethernet = bytes_at(skb, 0, sizeof(*ethernet));
	struct ethhdr came;

	if (!ethernet)
		return -1;
	came = *ethernet;
	__builtin_memcpy(ethernet->h_dest, came.h_source, ETH_ALEN);
	__builtin_memcpy(ethernet->h_source, came.h_dest, ETH_ALEN);
	return 0;
}

/* The packet is no ICMP error and no later fragment (RFC 1122, 3.2.2). @return 0, or an error: it can only be dropped */
__global int become_error(struct __sk_buff *skb, struct error_draft *draft)
{
	__s64 sum;

	if (!skb || !draft)
		return -1;
	sum = quote(skb, draft);
	if (sum < 0 || (is_ipv6(skb) ? write_ipv6_error(skb, draft, sum) : write_ipv4_error(skb, draft, sum)))
		return -1;
	return turn_frame_around(skb);
}

/* What an error about `packet` needs. It is sent from the address that the packet's sender used. */
static __always_inline void draft_error(struct error_draft *draft, const struct packet *packet)
{
	draft->source = packet->tuple.destination;
	draft->receiver = packet->tuple.source;
	draft->l4_offset = packet->l4_offset;
	draft->protocol = packet->tuple.protocol;
	draft->l4_present = packet->l4_present;
}

/* The same for a packet that came inside an error, so its checksum is computed. @param fits bytes; links may take less than the family's
 * least MTU: a packet of that size is fragmented there */
static __always_inline void draft_error_about(struct error_draft *draft, const struct inner_packet *inner, __u32 fits)
{
	__u32 least = is_ipv4(&inner->tuple.source) ? IPV4_LEAST_MTU : IPV6_LEAST_MTU;

	draft->source = inner->tuple.destination;
	draft->receiver = inner->tuple.source;
	draft->mtu = fits < least ? least : fits;
	draft->l4_offset = 0;
	draft->protocol = 0;
	draft->l4_present = true;
}

/* Whether the packet may not be fragmented. Routers never fragment IPv6 (RFC 8200, 5). */
static __always_inline bool must_stay_whole(struct __sk_buff *skb)
{
	const struct iphdr *ip = ip_header(skb);

	return is_ipv6(skb) || (ip && (ip->frag_off & bpf_htons(IP_DONT_FRAGMENT)));
}

/* Whether a router that cannot forward the packet must not fragment it but tell its sender. IPv6 need not fit in fewer bytes than every
 * IPv6 link takes. */
static __always_inline bool must_be_told(struct __sk_buff *skb)
{
	return must_stay_whole(skb) && (!is_ipv6(skb) || (skb->gso_size ? skb->gso_size : skb->len - ETH_HLEN) > IPV6_LEAST_MTU);
}

/* Whether a sender can be told to send packets of at most `mtu` bytes. */
static __always_inline bool is_usable_mtu(const struct __sk_buff *skb, __u32 mtu)
{
	return mtu >= (is_ipv6(skb) ? IPV6_LEAST_MTU : IPV4_LEAST_MTU);
}
