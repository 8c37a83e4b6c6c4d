/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../maps/services.h"
#include "../shared/connection.h"

/* Which backend a connection gets: by a hash of it, not by chance. So a node that has forgotten a connection (its entry has made room,
 * connection/place.h) gives it the same backend again, as long as the list is the same. The hash has a key, since clients choose their
 * ports and would choose their backend with them: SipHash-1-3 (Aumasson, Bernstein), as the kernel has it for its own tables. */

struct sip {
	__u64 v0, v1, v2, v3;
};

#define ROTATED(value, bits) ((value) << (bits) | (value) >> (64 - (bits)))

static __always_inline void sip_round(struct sip *sip)
{
	sip->v0 += sip->v1;
	sip->v2 += sip->v3;
	sip->v1 = ROTATED(sip->v1, 13) ^ sip->v0;
	sip->v3 = ROTATED(sip->v3, 16) ^ sip->v2;
	sip->v0 = ROTATED(sip->v0, 32);
	sip->v2 += sip->v1;
	sip->v0 += sip->v3;
	sip->v1 = ROTATED(sip->v1, 17) ^ sip->v2;
	sip->v3 = ROTATED(sip->v3, 21) ^ sip->v0;
	sip->v2 = ROTATED(sip->v2, 32);
}

static __always_inline void sip_in(struct sip *sip, __u64 word)
{
	sip->v3 ^= word;
	sip_round(sip);
	sip->v0 ^= word;
}

static __always_inline void sip_address(struct sip *sip, const struct address *address)
{
	sip_in(sip, address->word[0] | (__u64)address->word[1] << 32);
	sip_in(sip, address->word[2] | (__u64)address->word[3] << 32);
}

/* @param flow the connection; NULL: all connections of the client to services with this list */
__global __u32 secret_hash(const struct tuple *flow, const struct address *client, __u32 list)
{
	__u32 zero = 0;
	const struct secret *secret = bpf_map_lookup_elem(&secrets, &zero);
	struct sip sip;

	if (!secret || !client)
		return 0;
	sip = (struct sip){
		.v0 = secret->low ^ 0x736f6d6570736575,
		.v1 = secret->high ^ 0x646f72616e646f6d,
		.v2 = secret->low ^ 0x6c7967656e657261,
		.v3 = secret->high ^ 0x7465646279746573,
	};
	sip_address(&sip, client);
	if (flow) {
		sip_address(&sip, &flow->destination);
		sip_in(&sip, flow->source_port | (__u64)flow->destination_port << 16 | (__u64)flow->protocol << 32);
	} else {
		sip_in(&sip, list);
	}
	sip_in(&sip, (flow ? 40ULL : 24ULL) << 56); /* bytes, as SipHash ends */
	sip.v2 ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(&sip);
	return sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3;
}
