/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../shared/address.h"
#include <bpf/bpf_endian.h>
#include <stdbool.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#define __noinline __attribute__((noinline))

static __always_inline struct address address_from_ipv4(__be32 ipv4)
{
	return (struct address){.word = {0, 0, bpf_htonl(0xffff), ipv4}};
}

static __always_inline __be32 address_to_ipv4(const struct address *address)
{
	return address->word[3];
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
