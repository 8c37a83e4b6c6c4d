/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../net/parse.h"
#include "tunnel.h"

/* Packets of the tunnel between nodes, encrypted by the kernel's WireGuard device. The programs hand wrapped packets to the device, and
 * it sends UDP packets of its own. A decrypted packet arrives at the device's ingress, whole and without an Ethernet header, and only if
 * it comes from the node that its outer source names. */

/* Whether this is WireGuard's own packet, between two nodes. */
static __always_inline bool is_wireguard(const struct tuple *tuple)
{
	return tuple->protocol == IPPROTO_UDP && tuple->destination_port == bpf_htons(WIREGUARD_PORT);
}

/* Whether this is a later fragment whose first fragment was not seen: it may belong to the tunnel. */
static __always_inline bool is_lone_fragment(const struct tuple *tuple, enum parse_result parsed)
{
	return parsed == PARSE_FRAGMENT && tuple->protocol == IPPROTO_UDP;
}

/* Whether a packet that our programs, or the tunnel's device, sent may leave this node only encrypted. */
static __always_inline bool must_be_encrypted(const struct tuple *tuple, enum parse_result parsed, const struct settings *settings)
{
	if (!encrypts(settings))
		return false;
	return is_to_tunnel(tuple) || (is_lone_fragment(tuple, parsed) && address_is_equal(&tuple->source, &settings->node) &&
				       is_of_node(&tuple->destination));
}

/* Whether the packet can be encrypted. A packet in IPIP was wrapped a moment before encryption began, and no device would accept it at
 * the other end. */
static __always_inline bool can_be_encrypted(const struct tuple *tuple, const struct settings *settings)
{
	return settings->wireguard_ifindex && !is_ipip(tuple);
}

/* Sends the packet to the device, which takes the Ethernet header off. */
static __always_inline int send_encrypted(const struct settings *settings)
{
	return bpf_redirect(settings->wireguard_ifindex, 0);
}

/* Whether a decrypted packet, or a later fragment of one, is what its sender wrapped for this node. Nodes encrypt nothing else for each
 * other, so an attacker on another node reaches nothing here that it would not reach without encryption. */
static __always_inline bool is_decrypted_tunnel(struct __sk_buff *skb, const struct settings *settings)
{
	struct tuple tuple = {.protocol = IPPROTO_UDP};
	__u32 udp = sizeof(struct ipv6hdr);
	bool is_later = false;
	__u8 protocol = 0;

	if (is_ipv6(skb)) {
		struct ipv6hdr ip;

		if (bpf_skb_load_bytes(skb, 0, &ip, sizeof(ip)))
			return false;
		__builtin_memcpy(&tuple.source, &ip.saddr, 2 * sizeof(struct address));
		protocol = ip.nexthdr;
	} else {
		struct iphdr ip;

		if (bpf_skb_load_bytes(skb, 0, &ip, sizeof(ip)))
			return false;
		tuple.source = address_from_ipv4(ip.saddr);
		tuple.destination = address_from_ipv4(ip.daddr);
		protocol = ip.protocol;
		is_later = ip.frag_off & bpf_htons(IP_FRAGMENT_OFFSET);
		udp = ip.ihl * 4;
	}
	if (protocol != IPPROTO_UDP || !address_is_equal(&tuple.destination, &settings->node) || !is_of_node(&tuple.source))
		return false;
	if (is_later) /* nothing without its first */
		return true;
	if (bpf_skb_load_bytes(skb, udp + offsetof(struct udphdr, dest), &tuple.destination_port, sizeof(tuple.destination_port)))
		return false;
	return is_tunnel_packet(&tuple);
}
