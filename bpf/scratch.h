/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "net/packet.h"

/* What a new connection is to become; the packet path fills it and `connection_open` writes both directions. */
struct opening {
	struct address backend; /* where it goes after translation; the destination itself without a service */
	struct address entry;	/* CONNECTION_VIA_ENTRY: the node that replies go back to */
	__be16 backend_port;
	__be16 peer_port; /* source port shown to the backend; filled by connection_open */
	__u32 backend_id;
	__u32 flags; /* CONNECTION_VIA_ENTRY, _DIRECT_RETURN, _HOST_BACKEND, _VIA_STACK, _JUDGED_LATER, _HAIRPIN */
	__u32 policy_revision;
	struct origin origin; /* where it is known already */
};

/* The packet that an ICMP error is about: inside the error, as its sender saw it. */
struct inner_packet {
	struct tuple tuple;
	__u16 ip_offset;
	__u16 l4_offset;
};

/* What is to be done with an error: the flags and the node of the connection it is about. */
struct related {
	__u32 flags;
	struct address node;
	struct address destination; /* of the packet inside, as it was before translation */
};

/* Buffers too large for the 512-byte stack of BPF, callers' frames included. */
struct scratch {
	struct way way; /* first: 6.1's verifier allows no step from a pointer that may be NULL */
	struct bpf_fib_lookup route;
	struct bpf_tunnel_key key;
	struct connection connection;
	struct opening opening;
	struct inner_packet inner;
	struct related related;
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
