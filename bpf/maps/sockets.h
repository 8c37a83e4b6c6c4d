/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../shared/socket.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* Both lie with the socket and go with it: no socket pushes out what another needs. */

/* connected socket -> its peer. Written by the socket hooks, read by the agent through sock_diag (7). */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct socket_peer);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} socket_peers SEC(".maps");

/* network namespace (cookie) -> the workload whose it is. Written by the agent, with the endpoint. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct network_namespace);
	__type(value, struct address);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} namespaces SEC(".maps");
