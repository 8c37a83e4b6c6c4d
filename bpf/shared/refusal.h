/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "connection.h"
#include "policy.h"

#define REFUSALS 512

/* Policies refuse every flow from this origin to this port, whatever its source port is (policy/refused.h). */
struct refusal {
	__u64 until; /* ns, bpf_ktime_get_coarse_ns */
	struct address source;
	struct address destination;
	struct origin origin; /* from where its source was found to be right */
	__be16 port; /* destination port */
	__u8 protocol;
	__u8 outcome; /* enum outcome */
	__u8 asked; /* 1 << enum direction, of each policy that was asked */
	__u8 refused_by; /* enum direction: which of them refuses */
	__u8 receiver[6]; /* the hardware address that the packet was sent to: this node's, or many's (xdp.bpf.c) */
	__u32 policy_revision; /* of the node (`settings`) */
	struct judgement ingress; /* where it was asked */
	struct judgement egress;
};
