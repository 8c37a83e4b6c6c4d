/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include <linux/types.h>

/* Whose traffic is limited, and which way. */
struct limited {
	__u32 interface; /* host side of a workload's veth pair: ifindex */
	__u32 direction; /* enum direction: INGRESS to the workload */
};

#define BANDWIDTH_SHIFT 20

/* At most so many bytes in a time. A packet takes time, and must wait for no earlier ones longer than the burst. */
struct bandwidth {
	__u64 cost; /* ns for each byte, shifted by BANDWIDTH_SHIFT */
	__u64 due;  /* ns, bpf_ktime_get_coarse_ns: when everything that has passed would be through. Written by packets, else 0 */
};
