/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "address.h"

enum return_mode {
	RETURN_TUNNEL = 0, /* replies of externally reached services go back through the entry node */
	RETURN_DIRECT = 1, /* Direct Server Return: straight to the client */
};

/* What a VXLAN packet between two nodes carries, told by its VNI. */
enum tunnel_vni {
	VNI_OVERLAY = 4096,		/* between workloads, or a host and a workload */
	VNI_FORWARD_TUNNEL = 0xebf001,	/* entry node to backend's node, untranslated; the reply comes back wrapped */
	VNI_FORWARD_DIRECT = 0xebf002,	/* the same; the reply goes straight to the client */
	VNI_RETURN = 0xebf003,		/* backend's node to entry node: translated reply on its way to the client */
};

/* What the agent may change while traffic flows; one entry, key 0. */
struct settings {
	struct address node;	/* this node's address towards the other nodes */
	__u32 tunnel_ifindex;	/* the VXLAN device, 0: none yet */
	__u32 uplink_ifindex;	/* where forwarding looks for routes from */
	__u32 return_mode;	/* enum return_mode, for connections that enter at this node */
	__u32 policy_revision;	/* changes with every policy or identity: flows are judged again at their next packet */
};
