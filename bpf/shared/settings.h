/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "address.h"

enum return_mode {
	RETURN_TUNNEL = 0, /* replies of externally reached services go back through the entry node */
	RETURN_DIRECT = 1, /* Direct Server Return: straight to the client */
};

/* Which component gives new connections to services their backends. */
enum service_handling {
	SERVICES_TRANSLATED = 0,   /* these programs */
	SERVICES_LEFT_TO_HOST = 1, /* the host's stack, where kube-proxy has its rules: everything passes it, both ways */
};

/* What a VXLAN packet between two nodes carries: the two highest bits of its VNI. */
enum tunnel_kind {
	TUNNEL_OVERLAY = 0,	   /* between workloads, or a host and a workload; VNI_OVERLAY */
	TUNNEL_FORWARD_VIA = 1,	   /* entry node to backend's node, untranslated; the reply comes back wrapped */
	TUNNEL_FORWARD_DIRECT = 2, /* the same; the reply goes straight to the client */
	TUNNEL_RETURN = 3,	   /* backend's node to entry node: translated reply on its way to the client */
};

/* Bit of `policy_revision` that is set while the agent has not written everything. A flow that was judged meanwhile is judged again
 * afterwards, whichever policies are in force then. */
#define POLICY_REVISION_UNSETTLED 1

#define VNI_OVERLAY 4096

/* Set on packets that our programs, and WireGuard's device, send, so that the uplink's egress hook skips them. */
#define MARK_FORWARDED 0xebf00001

/* Set on answers to SCTP of the node's own processes, which the stack gets by the tunnel's device. A rule of the agent shows the stack by this
 * mark that the way back to their source, a Service's address, is that device (agent/network/own-requests.ts). */
#define MARK_OWN_ANSWER 0xebf00006

/* UDP, at each node that encrypts. */
#define WIREGUARD_PORT 51820

/* The encapsulation of a packet between two nodes. A node accepts either, whichever it sends. */
enum encapsulation {
	ENCAPSULATION_VXLAN = 0,
	ENCAPSULATION_IPIP = 1, /* IPv4 in IPv4 (RFC 2003): TUNNEL_OVERLAY only, since it carries nothing beside the packet */
};

enum settings_flag {
	SETTINGS_ALLOW_VXLAN_FROM_WORKLOADS = 1 << 0, /* for workloads that have tunnels of their own */
	SETTINGS_TUNNEL_CLIENTS = 1 << 1, /* source_ranges has clients whose replies never return directly */
	SETTINGS_MAGLEV = 1 << 2, /* a service chooses by a Maglev table: connections may continue that began at another node */
	SETTINGS_HOST_POLICIES = 1 << 3, /* what the node itself sends and receives is judged */
	SETTINGS_WORKLOADS_TO_HOST = 1 << 4, /* also what its workloads send to it: host_endpoints has FROM_WORKLOADS, or a policy of theirs is asked */
	SETTINGS_SERVICE_COUNTS = 1 << 5, /* connections to services are counted, and what they carry (observe/services.h) */
	SETTINGS_UNTRACKED = 1 << 6, /* host_endpoints has HOST_UNTRACKED, asked about every packet that an uplink receives and the node itself sends there */
	SETTINGS_BANDWIDTH = 1 << 7, /* a workload here has a limit (bandwidth.h) */
	SETTINGS_EGRESS = 1 << 8, /* a workload of the cluster leaves it otherwise than by its own node's address (egress.h) */
	SETTINGS_ENCRYPTION = 1 << 10, /* what is wrapped leaves for other nodes encrypted, and is taken from them only so (tunnel/wireguard.h) */
};

/* Settings that the agent may change while traffic flows; one entry, key 0. */
struct settings {
	struct address node;	/* this node's address towards the other nodes; tunnels are of its family */
	struct address second;	/* this node's address of the other family; ::, it has none */
	__u32 tunnel_ifindex;	/* the VXLAN device, 0: none yet */
	__u32 uplink_ifindex;	/* where forwarding looks for routes from */
	__u32 return_mode;	/* enum return_mode, for connections that enter at this node; services may differ */
	__u32 policy_revision;	/* changes with every endpoint's revision, which flows then compare at their next packet */
	__u32 service_handling; /* enum service_handling, for connections that begin now */
	__u32 socket_translation; /* enum socket_translation, for sockets that connect now */
	__u32 flags;		/* enum settings_flag */
	__u32 host_revision;	/* changes with what host endpoints say of other packets than the node's own; 0: they say nothing */
	__u64 host_namespace;	/* cookie of this node's own network namespace; 0: not known */
	__u32 wireguard_ifindex; /* the device that encrypts; 0: none */
	__u32 taking_over_until; /* s, of bpf_ktime_get_coarse_ns: until then other maps may know connections that these do not yet; 0: none does */
};
