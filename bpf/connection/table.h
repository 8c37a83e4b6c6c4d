/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../maps/state.h"
#include "../net/address.h"

/* The entry of `tuple`, established or half open; NULL: there is none. */
static __always_inline struct connection *connection_lookup(const struct tuple *tuple)
{
	struct connection *connection = bpf_map_lookup_elem(&connections, tuple);

	return connection ? connection : bpf_map_lookup_elem(&half_open, tuple);
}

static __always_inline void connection_forget(const struct tuple *tuple)
{
	bpf_map_delete_elem(&connections, tuple);
	bpf_map_delete_elem(&half_open, tuple);
}
