/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../scratch.h"
#include "touch.h"

/* From now on the replies of a connection go back another way (decide/way_back.h). */

static __always_inline void set_way_back(struct connection *connection, const struct opening *way)
{
	connection->node = way->node;
	flags_clear(connection, (CONNECTION_VIA_ENTRY | CONNECTION_DIRECT_RETURN) & ~way->flags);
	flags_set(connection, way->flags);
}

/* Both directions of the packet's connection. */
__global int connection_move(const struct packet *packet, struct connection *connection)
{
	struct scratch *scratch = scratch_get();
	struct connection *reply;

	if (!packet || !connection || !scratch)
		return 0;
	opposite(&scratch->direction, &packet->tuple, connection);
	reply = connection_lookup(&scratch->direction);
	set_way_back(connection, &scratch->opening);
	if (!reply)
		return 0;
	set_way_back(reply, &scratch->opening);
	__sync_lock_test_and_set(&reply->next_hop.until, 0);
	return 0;
}
