/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "packet.h"

/* The Ethernet frame around a packet. */

#define VLAN_ID_MASK 0x0fff

/* A tag without an identifier only gives a priority (IEEE 802.1Q): the frame is as one without. */
static __always_inline bool is_in_vlan(const struct __sk_buff *skb)
{
	return skb->vlan_present && (skb->vlan_tci & VLAN_ID_MASK);
}

/* linux/if_packet.h. A switch that does not know where a hardware address is sends the frame to all hosts: one of them forwards it. */
#define PACKET_OTHERHOST 3

static __always_inline bool is_for_another_host(const struct __sk_buff *skb)
{
	return skb->pkt_type == PACKET_OTHERHOST;
}

/* Both hardware addresses of an Ethernet header. Aligned, so that they are copied in three pieces, not in twelve. */
struct macs {
	__u8 byte[2 * ETH_ALEN];
} __attribute__((aligned(4)));

static __always_inline int write_macs(struct __sk_buff *skb, const struct macs *wanted)
{
	struct macs *macs = bytes_at(skb, 0, sizeof(*macs));

	if (!macs)
		return -1;
	*macs = *wanted;
	return 0;
}

static __always_inline bool mac_is_equal(const __u8 *a, const __u8 *b)
{
	const __u16 *x = (const __u16 *)a, *y = (const __u16 *)b;

	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2];
}

/* Whether the frame was sent from this hardware address. */
static __always_inline bool frame_has_source(struct __sk_buff *skb, const __u8 *mac)
{
	const struct ethhdr *ethernet = bytes_at(skb, 0, sizeof(*ethernet));

	return ethernet && mac_is_equal(ethernet->h_source, mac);
}
