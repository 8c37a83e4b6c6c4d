/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "address.h"
#include <linux/types.h>

/* In place of an interface's index: all interfaces that have no host endpoint of their own. */
#define ANY_INTERFACE 0

/* The same for the interfaces of this node's workloads; without an entry they reach the node. */
#define FROM_WORKLOADS 0xffffffff

/* The traffic about which a host endpoint is asked. Each stage has policies of its own. */
enum host_stage {
	HOST_OWN,	/* what the node's own processes send and receive */
	HOST_FORWARDED, /* what the node sends on for others: policies with applyOnForward */
	HOST_PRE_DNAT,	/* what comes in, as its sender wrote it: preDNAT */
	HOST_UNTRACKED, /* every packet, before its connection is looked up: doNotTrack */
};

struct judged_host {
	__u32 interface; /* ifindex of an uplink or of the tunnel's device, ANY_INTERFACE, or FROM_WORKLOADS */
	__u32 stage;	 /* enum host_stage */
};

/* This node's addresses at one of its uplinks; ::, none of that family. */
struct uplink {
	struct address ipv4;
	struct address ipv6;
};

/* Longest-prefix key of a port that no policy closes on a host: 32 bits of direction, protocol and port, then those of the
 * other end's address (IPv4 prefix n is 32 + 96 + n). */
struct failsafe {
	__u32 prefix_length;
	__u8 direction; /* enum direction */
	__u8 protocol;
	__be16 port; /* destination port */
	struct address peer;
};
