/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "address.h"

/* One step of MurmurHash3. Nodes of either byte order would differ; all that these programs are built for are little-endian. */
static __always_inline __u32 hash_in(__u32 hash, __u32 word)
{
	word *= 0xcc9e2d51;
	word = (word << 15) | (word >> 17);
	hash ^= word * 0x1b873593;
	hash = (hash << 13) | (hash >> 19);
	return hash * 5 + 0xe6546b64;
}

static __always_inline __u32 hash_address(__u32 hash, const struct address *address)
{
	for (int i = 0; i < 4; i++)
		hash = hash_in(hash, address->word[i]);
	return hash;
}

static __always_inline __u32 hash_end(__u32 hash)
{
	hash = (hash ^ (hash >> 16)) * 0x85ebca6b;
	hash = (hash ^ (hash >> 13)) * 0xc2b2ae35;
	return hash ^ (hash >> 16);
}
