/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../shared/endpoint.h"
#include "../shared/host.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* (interface, stage) -> the policy of packets there (no hardware addresses). No entry: nothing is judged. Written by the agent, after
 * the policy. Read only with SETTINGS_HOST_POLICIES; stages other than HOST_OWN only with a `host_revision`. Full: the agent reports it;
 * the interfaces that are missing have the policy of ANY_INTERFACE. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct judged_host);
	__type(value, struct endpoint);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} host_endpoints SEC(".maps");

/* (direction, protocol, port, other end's prefix) -> 1. Written by the agent, before the host endpoints. Read only before a packet of
 * the node would be refused. Full: the agent reports it, and policies can close the ports that are missing. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct failsafe);
	__type(value, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} failsafes SEC(".maps");

/* ifindex of an uplink -> the addresses that replace those of workloads whose packets leave the cluster there. Written by the agent,
 * before the endpoints. No entry, or no address of a family: the node's own address is used. Full: the agent reports it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct uplink);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} uplinks SEC(".maps");
