/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "net/become_error.h"
#include "plan.h"
#include "shared/policy.h"

/* A new connection that is to be written: decide/ fills it in and `connection_open` writes it. */
struct opening {
	struct address backend; /* where it goes after translation; the destination itself without a service */
	struct address node;	/* VIA_ENTRY: the entry node, for replies; FORWARDED: the backend's; MASQUERADED: this node's own; BY_GATEWAY: the gateway */
	__be16 backend_port;
	__be16 port; /* MASQUERADED: what stands for the client's; 0: none is free */
	__u32 backend_id;
	__u32 affine_list; /* the client keeps the backend of this list; 0: it does not */
	__u32 service; /* the list that its packets are counted by; 0: they are not counted */
	__u32 flags; /* CONNECTION_FORWARDED, _VIA_ENTRY, _DIRECT_RETURN, _HOST_BACKEND, _VIA_STACK, _JUDGED_LATER, _HAIRPIN, _MASQUERADED, _BY_GATEWAY, _REFUSED */
	__u32 policy_revision;
	__u32 ends_revision;
	struct origin origin; /* where it is known already */
};

/* Whose policies may be asked about one packet; the first two are also an enum direction. */
enum judged {
	JUDGED_INGRESS, /* of the receiver on this node, a workload or the node itself */
	JUDGED_EGRESS,	/* of the sender */
	JUDGED_PRE_DNAT,
	JUDGED_ARRIVAL,	  /* of the interface by which a forwarded flow comes in */
	JUDGED_DEPARTURE, /* of the one by which it leaves */
	JUDGED_UNTRACKED_IN,
	JUDGED_UNTRACKED_OUT,
	JUDGED_COUNT,
};
#define JUDGED_ROOM 8 /* a power of two: an index is masked, which every verifier understands */

/* See policy/sender.h. */
struct sender {
	struct address address;
	__u32 location_flags; /* enum location_flag */
	__u32 identity;
};

/* How many errors this CPU has sent in place of the node's stack, and since when (RFC 4443, 2.4 f; RFC 1812, 4.3.2.8). */
struct error_limit {
	__u64 window;
	__u32 in_window;
};

/* Buffers too large for the 512-byte stack of BPF, which includes the frames of callers. Fields that one packet uses are side by side,
 * so that it touches few cache lines: the start of the plan in any case, flow and opening of a new connection, and the wrapping it came
 * in. */
struct scratch {
	struct next_hop next_hop; /* first: 6.1's verifier allows no step from a pointer that may be NULL */
	__u64 fence;
	struct tuple flow; /* as policies see it */
	__u32 policy_revision; /* by which it is judged: of the node, and of its ends here */
	__u32 ends_revision;
	__u32 interface; /* by which the packet comes to the node or leaves it: ifindex, of an unwrapped one that of the tunnel's device */
	struct judgement judgements[JUDGED_ROOM]; /* about the flow; those that the plan has as `asked` */
	struct tuple written; /* the flow before translation, as its sender wrote it */
	__u32 arrival;	      /* by which interface the flow comes to this node; 0: it begins here, or that is not known */
	bool is_from_entry;   /* another node was its entry node, which has asked what comes before translation */
	bool is_to_node;      /* this node is: it goes on to its backend's node */
	struct sender sender; /* while the plan says that it is known */
	struct opening opening;
	__u64 time; /* of the packet at hand (clock.h); 0: not needed yet */
	struct plan plan;
	struct wrapping wrapping; /* that the packet came in */
	struct connection connection;
	struct tuple direction;	  /* of a connection's entry that is looked for */
	struct inner_packet inner;
	struct bpf_fib_lookup route;
	struct address egress; /* of find_egress() */
	struct bpf_tunnel_key key;
	struct fragment_key datagram; /* of the first fragment at hand, and its ports */
	struct fragment_ports ports;
	struct error_draft error;
	struct error_limit error_limit; /* this and the next are kept from packet to packet */
	__u64 refusals_until; /* when the last of this CPU's `refusals` is over: ns, bpf_ktime_get_coarse_ns */
	__u16 identification; /* of the last packet that was wrapped */
};

/* 0 -> scratch. Pinned only so that an agent that starts again finds its programs unchanged.
 * No run of a program can disturb another run. Programs at tc run with bottom halves disabled (sch_handle_ingress is called in softirq,
 * __dev_queue_xmit disables them), and so do programs in cards (NAPI). So none of them interrupts another one on its CPU. Redirects are
 * carried out after the program has returned. bpf_clone_redirect is carried out at once, but only announce uses it, which has no
 * scratch. Socket hooks can be interrupted, and use no scratch. Only the limit of errors, the end of refusals and the last
 * identification remain from an earlier packet: each program begins with plan_begin(), which zeroes its plan, and every other part is
 * written whole before it is read. */
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

static __always_inline struct judgement *judgement_of(struct scratch *scratch, __u32 judged)
{
	return &scratch->judgements[judged & (JUDGED_ROOM - 1)];
}

/* A tuple as a map's key: 6.1 takes no argument of a global function as one. @return scratch's copy of it */
static __always_inline struct tuple *tuple_as_key(struct scratch *scratch, const struct tuple *tuple)
{
	scratch->direction = *tuple;
	return &scratch->direction;
}

/* The scratch buffer, with an empty plan. */
static __always_inline struct scratch *scratch_begin(void)
{
	struct scratch *scratch = scratch_get();

	if (!scratch)
		return NULL;
	__builtin_memset(&scratch->plan, 0, offsetof(struct plan, wrapping));
	scratch->time = 0;
	return scratch;
}

/* An empty plan. It is in scratch and not on the stack, so that the verifier walks the code that uses it once for all plans, not once
 * for each. Never NULL; the verifier does not know that. */
static __always_inline struct plan *plan_begin(const struct __sk_buff *skb)
{
	struct scratch *scratch = scratch_begin();

	if (!scratch)
		return NULL;
	scratch->interface = skb->ifindex;
	return &scratch->plan;
}

/* Orders earlier reads before later ones, on every processor. Not for every packet: it costs about 20
 * cycles. BPF has no barriers but its exchanges (the kernel's atomic_t.txt: fully ordered). */
static __always_inline void fence(void)
{
	struct scratch *scratch = scratch_get();

	if (scratch)
		__sync_lock_test_and_set(&scratch->fence, 0);
}
