/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include <linux/types.h>

/* The traffic that is limited, and its direction. */
struct limited {
	__u32 interface; /* host side of a workload's veth pair: ifindex */
	__u32 direction; /* enum direction: INGRESS to the workload */
};

#define BANDWIDTH_SHIFT 20

/* A limit of bytes per time. Each packet occupies the link for a time, and is dropped if the packets before it would make it wait longer
 * than the burst. */
struct bandwidth {
	__u64 cost; /* ns for each byte, shifted by BANDWIDTH_SHIFT */
	__u64 due;  /* ns, bpf_ktime_get_coarse_ns: when everything that has passed would be through. Written by packets, else 0 */
};
