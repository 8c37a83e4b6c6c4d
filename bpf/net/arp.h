/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "frame.h"

/* The address resolution protocol of IPv4 on Ethernet (RFC 826). */

#define ARP_ETHERNET 1
#define ARP_REQUEST 1
#define ARP_REPLY 2

struct arp_frame {
	struct macs macs;
	__be16 type;
	__be16 hardware;
	__be16 protocol;
	__u8 hardware_length;
	__u8 protocol_length;
	__be16 operation;
	__u8 sender_mac[ETH_ALEN];
	__be32 sender;
	__u8 target_mac[ETH_ALEN];
	__be32 target;
} __attribute__((packed));

static __always_inline bool is_group_mac(const __u8 *mac)
{
	return mac[0] & 1;
}

/* @return whether the frame has a request or reply between hosts of an Ethernet */
static __always_inline bool arp_read(struct __sk_buff *skb, struct arp_frame *arp)
{
	if (skb->protocol != bpf_htons(ETH_P_ARP) || bpf_skb_load_bytes(skb, 0, arp, sizeof(*arp)))
		return false;
	return arp->hardware == bpf_htons(ARP_ETHERNET) && arp->protocol == bpf_htons(ETH_P_IP) &&
	       arp->hardware_length == ETH_ALEN && arp->protocol_length == sizeof(arp->target) &&
	       !is_group_mac(arp->sender_mac);
}

/* Turns the request into its reply. @return 0, or an error: the frame is as it was */
static __always_inline int arp_reply(struct __sk_buff *skb, struct arp_frame *arp, const __u8 *mac)
{
	__be32 asked = arp->target;

	__builtin_memcpy(arp->macs.byte, arp->sender_mac, ETH_ALEN);
	__builtin_memcpy(arp->macs.byte + ETH_ALEN, mac, ETH_ALEN);
	__builtin_memcpy(arp->target_mac, arp->sender_mac, ETH_ALEN);
	__builtin_memcpy(arp->sender_mac, mac, ETH_ALEN);
	arp->operation = bpf_htons(ARP_REPLY);
	arp->target = arp->sender;
	arp->sender = asked;
	return bpf_skb_store_bytes(skb, 0, arp, sizeof(*arp), 0);
}
