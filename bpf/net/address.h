/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../shared/address.h"
#include <bpf/bpf_endian.h>
#include <stdbool.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#define __noinline __attribute__((noinline))

/* A function that the verifier walks once, with any arguments, instead of once for each state in which it is called. Its arguments are
 * values, the context, or pointers to plain memory, which may be NULL. */
#define __global __attribute__((noinline))

/* A function with its own stack frame. It returns 0, because the verifier refuses void. `used`: otherwise Clang drops the unused 0,
 * and the verifier finds a pointer to the stack in its place. */
#define __step __attribute__((noinline, used))

static __always_inline struct address address_from_ipv4(__be32 ipv4)
{
	return (struct address){.word = {0, 0, bpf_htonl(0xffff), ipv4}};
}

static __always_inline __be32 address_to_ipv4(const struct address *address)
{
	return address->word[3];
}

static __always_inline bool is_ipv4(const struct address *address)
{
	return address->word[2] == bpf_htonl(0xffff) && !(address->word[0] | address->word[1]);
}

static __always_inline __u32 ip_version(const struct address *address)
{
	return is_ipv4(address) ? 4 : 6;
}

static __always_inline bool address_is_equal(const struct address *a, const struct address *b)
{
	return a->word[3] == b->word[3] && a->word[2] == b->word[2] && a->word[1] == b->word[1] &&
	       a->word[0] == b->word[0];
}

static __always_inline bool address_is_unset(const struct address *address)
{
	return !(address->word[0] | address->word[1] | address->word[2] | address->word[3]);
}

#define FIRST_MULTICAST 224

/* The word of an IPv4 address. */
static __always_inline __u8 first_byte(const struct address *address)
{
	return bpf_ntohl(address_to_ipv4(address)) >> 24;
}

/* ff00::/8 (RFC 4291, 2.7). False for IPv4. */
static __always_inline bool is_ipv6_multicast(const struct address *address)
{
	return (address->word[0] & bpf_htonl(0xff000000)) == bpf_htonl(0xff000000);
}

/* fe80::/10 (RFC 4291, 2.5.6): valid on one link only, so it is never routed, translated, or in a map. False for IPv4. */
static __always_inline bool is_link_local(const struct address *address)
{
	return (address->word[0] & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000);
}

/* ::/96 and ::ffff:0:0/96: no IPv6 packet carries such an address, except the source :: (RFC 4291, 2.5; RFC 6890). In the maps, ::/96
 * has the keys for node ports and for the node's loopback, and ::ffff:0:0/96 has IPv4 addresses. So a packet with such an address must
 * never be looked up. */
static __always_inline bool is_reserved_for_keys(const struct address *address)
{
	return !(address->word[0] | address->word[1]) && (!address->word[2] || address->word[2] == bpf_htonl(0xffff));
}

/* Multicast, class E, limited broadcast: a packet with such a destination goes to the host's stack. */
static __always_inline bool is_for_many(const struct address *address)
{
	return is_ipv4(address) ? first_byte(address) >= FIRST_MULTICAST : is_ipv6_multicast(address);
}

/* Addresses that no host may send from to other links (RFC 1122, 3.2.1.3; RFC 1812, 5.3.7; RFC 4291, 2.5.6 and 2.7): "this network",
 * loopback, multicast, class E, limited broadcast, link-local addresses of IPv6. */
static __always_inline bool is_never_a_source(const struct address *address)
{
	if (!is_ipv4(address))
		return is_ipv6_multicast(address) || is_link_local(address);
	return first_byte(address) == 0 || first_byte(address) == 127 || first_byte(address) >= FIRST_MULTICAST;
}

/* 127.0.0.0/8 and ::1, and 0.0.0.0 and ::, which a socket treats as loopback. */
static __always_inline bool is_loopback(const struct address *address)
{
	if (!is_ipv4(address))
		return !(address->word[0] | address->word[1] | address->word[2] | (address->word[3] & ~bpf_htonl(1)));
	return !address_to_ipv4(address) || first_byte(address) == 127;
}

/* The first loopback address, 127.0.0.1 or ::1, of the family of `address`. */
static __always_inline struct address loopback_of(const struct address *address)
{
	if (is_ipv4(address))
		return address_from_ipv4(bpf_htonl(0x7f000001));
	return (struct address){.word = {0, 0, 0, bpf_htonl(1)}};
}
