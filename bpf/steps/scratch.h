/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "packet.h"

/* What is too large for the stack beside what is there. */
struct scratch {
	struct way way; /* first: 6.1's verifier allows no step from a pointer that may be NULL */
	struct bpf_fib_lookup route;
	struct bpf_tunnel_key key;
	struct connection connection;
	__u64 fence;
};

/* 0 -> scratch. Nothing in it outlives a packet, and no other program of ours runs on this CPU meanwhile; pinned only
 * so that an agent that starts again finds its programs unchanged. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} scratches SEC(".maps");

static __always_inline struct scratch *scratch_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratches, &zero);
}

/* What was read before is older than what is read after, on every processor. Not for every packet: it costs some 20
 * cycles. BPF has no barriers but its exchanges (the kernel's atomic_t.txt: fully ordered). */
static __always_inline void fence(void)
{
	struct scratch *scratch = scratch_get();

	if (scratch)
		__sync_lock_test_and_set(&scratch->fence, 0);
}
