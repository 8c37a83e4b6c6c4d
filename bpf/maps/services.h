/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../shared/service.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* frontend -> service. Written by the agent after the slots it counts, removed before them. Full: the agent
 * reports the services that did not fit; those that did keep working. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct frontend);
	__type(value, struct service);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} frontends SEC(".maps");

/* (set, client's prefix) -> 1. Written by the agent, before the services that name the set, removed after them. Read only for those
 * services, and for TUNNEL_CLIENTS if the settings say so. Full: the agent reports it, and clients that are missing are refused. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 131072);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct source_range);
	__type(value, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} source_ranges SEC(".maps");

/* (list, index) -> backend id. Written by the agent: grown before the service's count, shrunk after it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 524288);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct slot);
	__type(value, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} slots SEC(".maps");

/* (list, backend id) -> enum membership. Written by the agent, before the slot, removed after it. Read for a client that was given a
 * backend before. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 524288);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct member);
	__type(value, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} members SEC(".maps");

/* backend id -> backend. Written by the agent: before the slots that name it; kept while it terminates. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 262144);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct backend);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} backends SEC(".maps");

/* 0 -> secret. Written by the agent, once; read when a backend is chosen. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct secret);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} secrets SEC(".maps");

/* (client, list) -> backend last given. Written and read by the packet path. Full: the entries that were unused longest make room, and
 * their clients are given the same backends again while the list has not changed. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct affinity_key);
	__type(value, struct affinity);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} affinities SEC(".maps");

/* service and kind of event -> how often, per CPU. Written by the packet path and the socket hooks when a connection opens or is
 * refused, and for packets of connections that are counted. Read by the agent's metrics, which removes entries of services that no
 * longer exist. Full: services that come later are not counted. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct service_count);
	__type(value, struct service_counter);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} service_counts SEC(".maps");
