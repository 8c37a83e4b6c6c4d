/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "ipv4.h"
#include <linux/tcp.h>
#include <linux/udp.h>

/* Rewrites one end of the packet. Checksums follow incrementally (RFC 1624), so a packet whose checksum is still to
 * be computed (CHECKSUM_PARTIAL) stays right: the address is part of the pseudo header, the port is not. */
struct rewrite {
	__u16 address_offset;
	__u16 port_offset; /* in the L4 header */
	__be32 old_address, new_address;
	__be16 old_port, new_port;
};

static __noinline int rewrite(const struct packet *packet, const struct rewrite *change)
{
	struct __sk_buff *skb = packet->skb;
	__u16 l4 = packet->l4_offset;
	bool udp = packet->tuple.protocol == IPPROTO_UDP;
	bool ported = packet->tuple.protocol == IPPROTO_TCP || udp;
	__u16 checksum = l4 + (udp ? offsetof(struct udphdr, check) : offsetof(struct tcphdr, check));
	__u64 zero_allowed = udp ? BPF_F_MARK_MANGLED_0 : 0;

	if (change->old_address != change->new_address) {
		if (ported && packet->l4_present &&
		    bpf_l4_csum_replace(skb, checksum, change->old_address, change->new_address,
					BPF_F_PSEUDO_HDR | zero_allowed | sizeof(__be32)))
			return -1;
		if (bpf_l3_csum_replace(skb, IP_OFFSET + offsetof(struct iphdr, check), change->old_address,
					change->new_address, sizeof(__be32)) ||
		    bpf_skb_store_bytes(skb, change->address_offset, &change->new_address, sizeof(__be32), 0))
			return -1;
	}
	if (change->old_port == change->new_port || !ported || !packet->l4_present)
		return 0;
	if (bpf_l4_csum_replace(skb, checksum, change->old_port, change->new_port, zero_allowed | sizeof(__be16)))
		return -1;
	return bpf_skb_store_bytes(skb, l4 + change->port_offset, &change->new_port, sizeof(__be16), 0);
}

/* Both keep packet->tuple in step, so that what follows sees the packet as it now is. */
static __always_inline int rewrite_source(struct packet *packet, const struct address *address, __be16 port)
{
	struct rewrite change = {
		.address_offset = IP_OFFSET + offsetof(struct iphdr, saddr),
		.port_offset = offsetof(struct udphdr, source),
		.old_address = address_to_ipv4(&packet->tuple.source),
		.new_address = address_to_ipv4(address),
		.old_port = packet->tuple.source_port,
		.new_port = port,
	};

	packet->tuple.source = *address;
	packet->tuple.source_port = port;
	return rewrite(packet, &change);
}

static __always_inline int rewrite_destination(struct packet *packet, const struct address *address, __be16 port)
{
	struct rewrite change = {
		.address_offset = IP_OFFSET + offsetof(struct iphdr, daddr),
		.port_offset = offsetof(struct udphdr, dest),
		.old_address = address_to_ipv4(&packet->tuple.destination),
		.new_address = address_to_ipv4(address),
		.old_port = packet->tuple.destination_port,
		.new_port = port,
	};

	packet->tuple.destination = *address;
	packet->tuple.destination_port = port;
	return rewrite(packet, &change);
}
