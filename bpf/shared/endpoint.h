/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "address.h"

enum endpoint_flag {
	ENDPOINT_INGRESS_ISOLATED = 1 << 0, /* some policy selects it for ingress: what no rule allows is dropped */
	ENDPOINT_EGRESS_ISOLATED = 1 << 1,
	ENDPOINT_WITHOUT_FAILSAFES = 1 << 2, /* of the node itself: also its fail-safe ports are closed */
	ENDPOINT_ASKED_TO_NODE = 1 << 3, /* its egress policy is asked on the way to its own node too (Calico's) */
	ENDPOINT_BY_OWN_SIDE = 1 << 4, /* of the node itself: which policy holds depends on a flow's end on this side (POLICY_OWN_SIDE) */
};

/* A workload of this node: the addresses that it may use; ::, if it has none of that family. Found by the index of its host-side
 * interface (map `interfaces`) and by its network namespace (map `namespaces`). */
struct workload {
	struct address ipv4;
	struct address ipv6;
};

/* A workload endpoint of this node, by each of its addresses (map `endpoints`). No entry, no traffic. */
struct endpoint {
	__u32 ifindex;	/* host side of its veth pair */
	__u32 policy;	/* id of its compiled policy: first field of struct policy_key */
	__u32 flags;	/* enum endpoint_flag */
	__u32 revision; /* changes with its policy and with every address that this policy distinguishes; never 0 */
	__u8 mac[6];	  /* inside the pod */
	__u8 host_mac[6]; /* host side */
};
