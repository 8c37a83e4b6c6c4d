/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../shared/egress.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* Both maps are read only with SETTINGS_EGRESS: before a connection to a destination outside the cluster opens, and for datagrams with
 * each new next hop. */

/* A workload's address -> its group: of this node's workloads, and of those for which this node is the gateway. Written by the agent,
 * before the endpoints. Full: the agent reports it; this node's own workloads come first, and packets of the missing workloads of other
 * nodes are refused here. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct address);
	__type(value, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} egress_groups SEC(".maps");

/* (group, destination's prefix) -> way. Written by the agent, before the groups. Full: the agent reports it, and packets without a way
 * are refused. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct egress_key);
	__type(value, struct egress_way);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} egress_ways SEC(".maps");
