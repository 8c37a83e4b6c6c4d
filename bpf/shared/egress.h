/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "address.h"

/* How a workload's packets leave the cluster. */
enum egress_how {
	EGRESS_PLAIN, /* as its pool says */
	EGRESS_HERE,  /* with `address`, of this node */
	EGRESS_NODE,  /* by the node at `address`, wrapped */
	EGRESS_NONE,  /* not at all: no gateway is ready, or this node lacks the address */
};

/* In place of a group: nodes that are ready as gateways, by their addresses. */
#define EGRESS_GATEWAYS 0

/* Longest-prefix key: 32 bits of the group, then those of the destination (IPv4 prefix n is 32 + 96 + n). */
struct egress_key {
	__u32 prefix_length;
	__u32 group; /* of workloads, that one object selects: map `egress_groups` */
	struct address destination;
};

struct egress_way {
	__u32 how;	/* enum egress_how */
	struct address address; /* EGRESS_HERE: ::, that of the uplink */
};
