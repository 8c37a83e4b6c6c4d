/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "ipv4.h"
#include "ipv6.h"
#include "crc32c.h"
#include "sctp.h"
#include <linux/tcp.h>
#include <linux/udp.h>

/* Rewrites one end of the packet. Checksums follow incrementally (RFC 1624), so a packet whose checksum is still to
 * be computed (CHECKSUM_PARTIAL) stays right: the address is part of the pseudo header, the port is not. */
enum packet_end {
	END_SOURCE,
	END_DESTINATION,
};

#define USUAL_PORTS (IP_OFFSET + sizeof(struct iphdr)) /* where the ports are in most packets: changed there without a call */
#define ICMP_CHECKSUM 2 /* offsets in the header of ICMP, of both families */
#define ICMP_IDENTIFIER 4

/* The fields of a packet that rewrite() needs. */
struct rewritten {
	__u16 l4_offset;
	__u8 protocol;
	__u8 l4_present;
	__be16 old_port, new_port;
	__u32 end; /* enum packet_end */
};

/* Where the checksum over the pseudo header is; 0: the protocol has none that is known. */
static __always_inline __u32 checksum_offset(const struct rewritten *change)
{
	switch (change->protocol) {
	case IPPROTO_TCP:
		return change->l4_offset + offsetof(struct tcphdr, check);
	case IPPROTO_UDP:
		return change->l4_offset + offsetof(struct udphdr, check);
	case IPPROTO_ICMPV6:
		return change->l4_offset + ICMP_CHECKSUM;
	default:
		return 0;
	}
}

/* The IPv6 header has no checksum of its own. If a network card has summed the whole packet (CHECKSUM_COMPLETE), bpf_l4_csum_replace()
 * changes that sum as for IPv4, where the header's checksum balances the address. In IPv6 the transport's checksum balances it, so the
 * sum of the packet does not change. bpf_csum_update() restores the sum, and fails if there is none. */
static __always_inline int rewrite_ipv6_address(struct __sk_buff *skb, const struct rewritten *change, const struct address *old,
						const struct address *new)
{
	__u64 flags = BPF_F_PSEUDO_HDR | (change->protocol == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0);
	__u32 checksum = checksum_offset(change);
	bool is_balanced = change->l4_present && checksum;
	__s64 difference;

	if (is_balanced) {
		difference = bpf_csum_diff((__be32 *)old, sizeof(*old), (__be32 *)new, sizeof(*new), 0);
		if (bpf_l4_csum_replace(skb, checksum, 0, difference, flags))
			return -1;
		bpf_csum_update(skb, difference);
	}
	return bpf_skb_store_bytes(
		skb,
		ETH_HLEN + (change->end == END_SOURCE ? offsetof(struct ipv6hdr, saddr) : offsetof(struct ipv6hdr, daddr)), new,
		sizeof(*new), is_balanced ? 0 : BPF_F_RECOMPUTE_CSUM);
}

/* The length of an SCTP packet, which padding of the frame may follow. Of a jumbogram 0: its length is elsewhere (RFC 2675). */
static __always_inline __u32 sctp_length(struct __sk_buff *skb, __u32 l4_offset)
{
	bool ipv6 = is_ipv6(skb);
	__u32 end = ipv6 ? IPV6_END : IP_OFFSET;
	__be16 length = 0;

	bpf_skb_load_bytes(skb, ipv6 ? ETH_HLEN + offsetof(struct ipv6hdr, payload_len) : IP_OFFSET + offsetof(struct iphdr, tot_len),
			   &length, sizeof(length));
	end += bpf_ntohs(length);
	return end > l4_offset ? end - l4_offset : 0;
}

/* SCTP's checksum covers the whole packet and no address. A sender on this machine leaves it 0 for the network card (CHECKSUM_PARTIAL),
 * which computes it over the ports as they are then. Large segments (GSO) have one header, which each segment gets. A packet whose
 * checksum is 0 by chance, one in 2^32, is lost and sent again. Maps and registers are little-endian, as the checksum is. */
static __always_inline int rewrite_sctp_port(struct __sk_buff *skb, const struct rewritten *change)
{
	__u32 field, checksum, from_port, length;

	field = change->l4_offset + offsetof(struct sctp_start, checksum);
	if (bpf_skb_load_bytes(skb, field, &checksum, sizeof(checksum)))
		return -1;
	from_port = change->end * sizeof(change->new_port);
	if (checksum) {
		length = sctp_length(skb, change->l4_offset);
		if (length < sizeof(struct sctp_start))
			return -1;
		checksum ^= crc32c_shift(change->old_port ^ change->new_port, length - from_port);
		if (bpf_skb_store_bytes(skb, field, &checksum, sizeof(checksum), BPF_F_RECOMPUTE_CSUM))
			return -1;
	}
	return bpf_skb_store_bytes(skb, change->l4_offset + from_port, &change->new_port, sizeof(change->new_port),
				   BPF_F_RECOMPUTE_CSUM);
}

/* The identifier is the source port of a query and the destination port of its answer. The other port is type and code, which nothing
 * rewrites. */
static __always_inline int rewrite_identifier(struct __sk_buff *skb, const struct rewritten *change)
{
	if (bpf_l4_csum_replace(skb, change->l4_offset + ICMP_CHECKSUM, change->old_port, change->new_port, sizeof(change->new_port)))
		return -1;
	return bpf_skb_store_bytes(skb, change->l4_offset + ICMP_IDENTIFIER, &change->new_port, sizeof(change->new_port), 0);
}

static __always_inline int rewrite_ipv4_address(struct __sk_buff *skb, const struct rewritten *change, __be32 old, __be32 new)
{
	__u32 checksum = checksum_offset(change);
	__u64 flags =
		BPF_F_PSEUDO_HDR | (change->protocol == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0) | sizeof(new);
	struct iphdr *ip;

	if (change->l4_present && checksum && bpf_l4_csum_replace(skb, checksum, old, new, flags))
		return -1;
	ip = ip_header(skb);
	if (ip) { /* where it lies: the header's own checksum balances the change, so no sum of the packet changes */
		ip->check = ip_checksum_changed(ip->check, old, new);
		if (change->end == END_SOURCE)
			ip->saddr = new;
		else
			ip->daddr = new;
		return 0;
	}
	if (bpf_l3_csum_replace(skb, IP_OFFSET + offsetof(struct iphdr, check), old, new, sizeof(new)))
		return -1;
	return bpf_skb_store_bytes(
		skb, IP_OFFSET + (change->end == END_SOURCE ? offsetof(struct iphdr, saddr) : offsetof(struct iphdr, daddr)),
		&new, sizeof(new), 0);
}

__global int rewrite(struct __sk_buff *skb, const struct rewritten *change, const struct address *old, const struct address *new)
{
	__be16 *ports;
	bool udp;

	if (!skb || !change || !old || !new)
		return -1;
	udp = change->protocol == IPPROTO_UDP;
	if (!address_is_equal(old, new)) {
		if (is_ipv4(new) == is_ipv6(skb)) /* addresses are not translated between families */
			return -1;
		if (is_ipv6(skb) ? rewrite_ipv6_address(skb, change, old, new)
				 : rewrite_ipv4_address(skb, change, address_to_ipv4(old), address_to_ipv4(new)))
			return -1;
	}
	if (change->old_port == change->new_port || !change->l4_present)
		return 0;
	if (change->protocol == IPPROTO_ICMP || change->protocol == IPPROTO_ICMPV6)
		return rewrite_identifier(skb, change);
	if (!begins_with_ports(change->protocol))
		return 0;
	if (change->protocol == IPPROTO_SCTP)
		return rewrite_sctp_port(skb, change);
	if (bpf_l4_csum_replace(skb, checksum_offset(change), change->old_port, change->new_port,
				(udp ? BPF_F_MARK_MANGLED_0 : 0) | sizeof(change->new_port)))
		return -1;
	ports = bytes_at(skb, USUAL_PORTS, 2 * sizeof(*ports));
	if (ports && change->l4_offset == USUAL_PORTS) {
		if (change->end == END_SOURCE)
			ports[0] = change->new_port;
		else
			ports[1] = change->new_port;
		return 0;
	}
	return bpf_skb_store_bytes(skb, change->l4_offset + change->end * sizeof(change->new_port), &change->new_port,
				   sizeof(change->new_port), 0);
}

static __always_inline struct rewritten rewritten(const struct packet *packet, enum packet_end end, __be16 old_port,
						  __be16 new_port)
{
	return (struct rewritten){
		.l4_offset = packet->l4_offset,
		.protocol = packet->tuple.protocol,
		.l4_present = packet->l4_present,
		.old_port = old_port,
		.new_port = new_port,
		.end = end,
	};
}

/* Both functions also update packet->tuple, so that later steps see the packet as it now is. */
static __always_inline int rewrite_source(struct __sk_buff *skb, struct packet *packet, const struct address *address, __be16 port)
{
	struct rewritten change = rewritten(packet, END_SOURCE, packet->tuple.source_port, port);
	int result = rewrite(skb, &change, &packet->tuple.source, address);

	packet->tuple.source = *address;
	packet->tuple.source_port = port;
	return result;
}

static __always_inline int rewrite_destination(struct __sk_buff *skb, struct packet *packet, const struct address *address, __be16 port)
{
	struct rewritten change = rewritten(packet, END_DESTINATION, packet->tuple.destination_port, port);
	int result = rewrite(skb, &change, &packet->tuple.destination, address);

	packet->tuple.destination = *address;
	packet->tuple.destination_port = port;
	return result;
}
