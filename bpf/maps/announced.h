/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../shared/announcement.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* (load balancer's address, uplink) -> how this node answers for it. Written by the agent; read for ARP and neighbour discovery only.
 * Full: the agent reports it, and no node answers for the addresses that are missing. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct announced);
	__type(value, struct announcement);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} announced SEC(".maps");
