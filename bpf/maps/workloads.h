/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../shared/location.h"
#include "../shared/bandwidth.h"
#include "../shared/endpoint.h"
#include "../shared/policy.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* address prefix -> identity and location. Written by the agent. Fields: the address in network order, so that the longest match is the
 * most specific block. Full: the agent reports it; unknown addresses have identity 0. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 262144);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, struct location);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} locations SEC(".maps");

/* workload address -> endpoint of this node. Written by the agent, after the endpoint's policy. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct address);
	__type(value, struct endpoint);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} endpoints SEC(".maps");

/* host-side ifindex -> the only addresses its workload may use. Written by the agent, with the endpoint. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct workload);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} interfaces SEC(".maps");

/* (policy, identity, direction, protocol, port) -> verdict. Written by the agent, before the endpoints that
 * name the policy. Full: the agent reports it and keeps the last good policy of the endpoint. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 262144);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct policy_key);
	__type(value, struct policy_value);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} policies SEC(".maps");

/* (host-side ifindex, direction) -> the limit of its packets. Written by the agent, before the endpoint; `due` by the packet path. Read
 * only with SETTINGS_BANDWIDTH. Full: the agent reports it, and the workload is not limited. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct limited);
	__type(value, struct bandwidth);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} bandwidths SEC(".maps");
