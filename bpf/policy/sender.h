/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../locate.h"
#include "../scratch.h"

/* The host outside this node that sent the packet at hand, once its source was checked: judging needs its location again, and no other
 * lookup costs as much. For this packet only, because locations change. */

static __always_inline void note_sender(const struct address *address, const struct location *location)
{
	struct scratch *scratch = scratch_get();

	if (!scratch)
		return;
	scratch->sender = (struct sender){
		.address = *address,
		.location_flags = location_flags(location),
		.identity = location ? location->identity : 0,
	};
	scratch->plan.is_sender_known = true;
}

static __always_inline bool is_sender(const struct scratch *scratch, const struct address *address)
{
	return scratch->plan.is_sender_known && address_is_equal(&scratch->sender.address, address);
}

/* The number by which policies know a peer. */
struct peer {
	__u32 location_flags;
	__u32 identity;
};

static __always_inline struct peer peer_at(const struct address *address, const struct scratch *scratch)
{
	const struct location *location;

	if (is_sender(scratch, address))
		return (struct peer){scratch->sender.location_flags, scratch->sender.identity};
	location = locate(address);
	return (struct peer){location_flags(location), location ? location->identity : 0};
}
