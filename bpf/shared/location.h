/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "address.h"

/* Longest-prefix key; prefix_length counts bits of the 128-bit address (IPv4 prefix n is 96 + n). */
struct prefix {
	__u32 prefix_length;
	struct address address;
};

enum location_flag {
	LOCATION_LOCAL_HOST = 1 << 0,	/* an address of this node, and 127.0.0.0/8 */
	LOCATION_REMOTE_HOST = 1 << 1,	/* an address of another node of the cluster */
	LOCATION_POOL = 1 << 2,		/* in an IP pool: a workload, or an address a workload may get */
	LOCATION_ENCAPSULATED = 1 << 3, /* reached through the tunnel to `node`; a REMOTE_HOST: by workloads only */
	LOCATION_NAT_OUTGOING = 1 << 4, /* its pool masquerades traffic that leaves the cluster */
	LOCATION_BLACKHOLE = 1 << 5,	/* an IPAM block that no node uses, or an announced network of Services: dropped, never sent to the default route */
	LOCATION_BROADCAST = 1 << 6,	/* broadcast address of an uplink's subnet: no host's source */
	LOCATION_WORKLOAD = 1 << 7,	/* a pod that is there, not only a block of addresses */
	LOCATION_WITHOUT_NODE_PORTS = 1 << 8, /* a node's, at which node ports do not answer (nodePortAddresses) */
	LOCATION_IPIP = 1 << 9,		/* with ENCAPSULATED, of IPv4: by IPIP */
};

/* What is known of an address: its identity, for policies, and its location (node, flags). */
struct location {
	__u32 identity; /* 0: an address no policy distinguishes */
	__u32 flags;	/* enum location_flag */
	struct address node; /* tunnel address of the node where a remote workload lives, or of a remote host; :: otherwise */
};
