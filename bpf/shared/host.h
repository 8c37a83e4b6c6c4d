/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "address.h"
#include <linux/types.h>

/* In place of an interface's index: those that have no host endpoint of their own. */
#define ANY_INTERFACE 0

/* The same of this node's workloads; without an entry they reach the node. */
#define FROM_WORKLOADS 0xffffffff

/* Longest-prefix key of a port that no policy closes on a host: 32 bits of direction, protocol and port, then those of the
 * other end's address (IPv4 prefix n is 32 + 96 + n). */
struct failsafe {
	__u32 prefix_length;
	__u8 direction; /* enum direction */
	__u8 protocol;
	__be16 port; /* destination port */
	struct address peer;
};
