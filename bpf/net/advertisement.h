/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "discovery.h"
#include "frame.h"
#include "ipv6.h"

/* Neighbour solicitations and the advertisements that answer them (RFC 4861, 4.3, 4.4 and 7.2). */

#define ND_SOLICITED 0x40000000 /* flags of an advertisement */
#define ND_OVERRIDE 0x20000000
#define ND_TARGET_LINK_LAYER 2 /* an option: the target's hardware address */

/* Either message, up to its options. */
struct neighbour_message {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__be32 flags; /* of an advertisement */
	struct address target;
};

/* From its IPv6 header on. What the checksum counts begins with `source`. */
struct solicitation {
	__be32 version;
	__be16 length;
	__u8 protocol;
	__u8 hop_limit;
	struct address source;
	struct address destination;
	struct neighbour_message message;
};

struct advertisement {
	struct solicitation head; /* the same fields */
	__u8 option;
	__u8 option_length; /* in 8 bytes */
	__u8 mac[ETH_ALEN];
};

#define ADVERTISEMENT_LENGTH (sizeof(struct advertisement) - sizeof(struct ipv6hdr))

/* ff02::1 and its hardware address (RFC 2464, 7). */
static __always_inline struct address all_nodes(void)
{
	return (struct address){.word = {bpf_htonl(0xff020000), 0, 0, bpf_htonl(1)}};
}

/* Whether a packet of PARSE_DISCOVERY is a solicitation by one host (RFC 4861, 7.1.1). No host sends one with extension headers, and the
 * answer has no room for them. */
static __always_inline bool may_be_answered(const struct packet *packet, const struct neighbour_message *message)
{
	struct __sk_buff *skb = packet->skb;
	const struct ethhdr *ethernet = bytes_at(skb, 0, sizeof(*ethernet));
	__u8 hop_limit;

	return message->type == ND_NEIGHBOUR_SOLICITATION && !message->code && packet->l4_offset == IPV6_END &&
	       !bpf_skb_load_bytes(skb, ETH_HLEN + offsetof(struct ipv6hdr, hop_limit), &hop_limit, sizeof(hop_limit)) &&
	       hop_limit == ND_HOP_LIMIT && ethernet && !(ethernet->h_source[0] & 1) &&
	       !is_ipv6_multicast(&packet->tuple.source);
}

/* The answer goes to the host that asked, at the hardware address that the frame came from; to all hosts, if the sender has no address
 * yet (duplicate address detection, RFC 4861, 7.2.4). */
static __always_inline int write_advertisement_macs(struct __sk_buff *skb, const __u8 *mac, bool is_for_all)
{
	struct macs *macs = bytes_at(skb, 0, sizeof(*macs));

	if (!macs)
		return -1;
	if (is_for_all)
		__builtin_memcpy(macs->byte, "\x33\x33\x00\x00\x00\x01", ETH_ALEN);
	else
		__builtin_memcpy(macs->byte, macs->byte + ETH_ALEN, ETH_ALEN);
	__builtin_memcpy(macs->byte + ETH_ALEN, mac, ETH_ALEN);
	return 0;
}

/* Turns the solicitation into the answer that its target is at `mac`. @return 0, or an error */
static __always_inline int advertise(struct __sk_buff *skb, const struct solicitation *asked, const __u8 *mac)
{
	bool is_for_all = address_is_unset(&asked->source);
	struct advertisement answer = {
		.head = {.version = bpf_htonl(6 << 28),
			 .length = bpf_htons(ADVERTISEMENT_LENGTH),
			 .protocol = IPPROTO_ICMPV6,
			 .hop_limit = ND_HOP_LIMIT,
			 .source = asked->message.target,
			 .destination = is_for_all ? all_nodes() : asked->source,
			 .message = {.type = ND_NEIGHBOUR_ADVERTISEMENT,
				     .flags = bpf_htonl(is_for_all ? ND_OVERRIDE : ND_OVERRIDE | ND_SOLICITED),
				     .target = asked->message.target}},
		.option = ND_TARGET_LINK_LAYER,
		.option_length = 1,
	};

	__builtin_memcpy(answer.mac, mac, ETH_ALEN);
	answer.head.message.checksum = folded(bpf_csum_diff(NULL, 0, (__be32 *)&answer.head.source,
							    sizeof(answer) - offsetof(struct solicitation, source),
							    bpf_htonl(ADVERTISEMENT_LENGTH + IPPROTO_ICMPV6)));
	if (bpf_skb_change_tail(skb, ETH_HLEN + sizeof(answer), 0) || write_advertisement_macs(skb, mac, is_for_all))
		return -1;
	return bpf_skb_store_bytes(skb, ETH_HLEN, &answer, sizeof(answer), 0);
}
