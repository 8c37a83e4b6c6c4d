/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "address.h"

/* A load balancer's address that this node answers for, on one of its uplinks. */
struct announced {
	struct address address;
	__u32 interface;
};

/* The agent renews it, so that the node of a killed agent falls silent. */
struct announcement {
	__u64 until; /* ns, bpf_ktime_get_ns */
	__u8 mac[6]; /* the uplink's */
	__u8 padding[2];
};
