/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../shared/connection.h"
#include "../shared/outcome.h"
#include "../shared/refusal.h"
#include "../shared/settings.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* 0 -> settings. Written by the agent, read once per packet. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct settings);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} settings SEC(".maps");

/* tuple -> connection that is established, one entry per direction. Written by the packet path only. Never full: it has more entries
 * than connection/place.h has places for them, so the number of places can change without another table. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1048576);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct tuple);
	__type(value, struct connection);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} connections SEC(".maps");

/* tuple -> connection of which it is not yet proven that both ends want it: TCP before the end of its handshake, or a flow without an
 * answer. Written by the packet path only, which moves established connections to `connections`. Full: the least recently used entries
 * make room, so that a flood of new flows harms new flows only, and no established connection. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct tuple);
	__type(value, struct connection);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} half_open SEC(".maps");

/* tuple of an answer -> when the request was sent, for UDP that this node's stack sends. Written and read by the packet path. Full: the
 * least recently used entries make room; their answers go to the service that has their port, if any. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct tuple);
	__type(value, struct host_request);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} host_requests SEC(".maps");

/* datagram -> ports of its first fragment. Written and read by the packet path. Full: the oldest entries make room; their later
 * fragments are dropped (drop_fragment) and the sender's transport retries. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct fragment_key);
	__type(value, struct fragment_ports);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} fragments SEC(".maps");

/* Hash of a flow without its source port -> that policies have just refused it, per CPU. Written and read by the packet path only.
 * Another flow with the same hash replaces the entry. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, REFUSALS);
	__type(key, __u32);
	__type(value, struct refusal);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} refusals SEC(".maps");

/* enum outcome -> packets and bytes, per CPU. Written by the packet path, read by the agent's metrics. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, OUTCOME_COUNT);
	__type(key, __u32);
	__type(value, struct outcome_counter);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} outcomes SEC(".maps");
