/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../shared/endpoint.h"
#include "../shared/socket.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* connected socket -> its peer. It is stored with the socket and freed with it, so no socket evicts another one's entry. Written and
 * read by the socket hooks; `outlived_sockets` walks all of it for the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct socket_peer);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} socket_peers SEC(".maps");

/* network namespace (cookie) -> the workload that has it. Written by the agent, with the endpoint. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct network_namespace);
	__type(value, struct workload);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} namespaces SEC(".maps");
