/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "icmp.h"

/* What IPv6 needs on each link, before any address is known to be right: neighbour discovery (RFC 4861), duplicate address detection
 * (RFC 4862), multicast listener discovery (RFC 2710, RFC 3810). */

enum discovery_type {
	MLD_QUERY = 130, /* to */
	MLD_DONE = 132,
	ND_ROUTER_SOLICITATION = 133,
	ND_ROUTER_ADVERTISEMENT = 134,
	ND_NEIGHBOUR_SOLICITATION = 135,
	ND_NEIGHBOUR_ADVERTISEMENT = 136,
	ND_REDIRECT = 137,
	MLD_REPORT = 143, /* version 2 */
};

#define ND_HOP_LIMIT 255 /* shows that no router forwarded it (RFC 4861, 6.1 and 7.1) */
#define MLD_HOP_LIMIT 1

static __always_inline bool is_neighbour_discovery(__u8 type)
{
	return type >= ND_ROUTER_SOLICITATION && type <= ND_REDIRECT;
}

static __always_inline bool is_listener_discovery(__u8 type)
{
	return (type >= MLD_QUERY && type <= MLD_DONE) || type == MLD_REPORT;
}

/* A message that only a router sends. */
static __always_inline bool is_of_router(__u8 type)
{
	return type == ND_ROUTER_ADVERTISEMENT || type == ND_REDIRECT;
}

/* The address that a neighbour advertisement is about, of a packet of PARSE_DISCOVERY. @return 0; -1: it is no such, or too short */
static __always_inline int advertised_address(const struct packet *packet, struct address *target)
{
	__u8 type;

	if (bpf_skb_load_bytes(packet->skb, packet->l4_offset, &type, sizeof(type)) || type != ND_NEIGHBOUR_ADVERTISEMENT)
		return -1;
	return bpf_skb_load_bytes(packet->skb, packet->l4_offset + sizeof(struct icmp_header), target, sizeof(*target));
}
