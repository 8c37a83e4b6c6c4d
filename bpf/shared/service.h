/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "address.h"

/* What clients use to reach a service. A node port is written once for each address family, as ANY_NODE; the packet path looks
 * it up when the destination is known to be a node. A pod's host port is written for each address of its node, and as
 * NODE_LOOPBACK for the node's own loopback, which only sockets look up. */
struct frontend {
	struct address address;
	__be16 port;
	__u8 protocol; /* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP */
	__u8 padding;
};

/* Keys that represent several addresses: the last word, combined with the IP version. They are in ::/96, which no packet's address
 * is mapped to (RFC 4291, 2.5.5.1). */
#define ANY_NODE 0
#define NODE_LOOPBACK 0x10000

/* In place of a port and of a protocol: the frontend of all other ports of a cluster address. It has no backends. It is looked up last,
 * and shows that the address is a cluster address. */
#define OTHER_PORTS 0

enum service_flag {
	SERVICE_EXTERNAL_LOCAL = 1 << 0, /* externalTrafficPolicy: Local */
	SERVICE_INTERNAL_LOCAL = 1 << 1, /* internalTrafficPolicy: Local */
	SERVICE_AFFINITY = 1 << 2,	 /* sessionAffinity: ClientIP */
	SERVICE_HOST_PORT = 1 << 3,	 /* a pod's, at its node: not handled by kube-proxy */
	SERVICE_RETURN_DIRECT = 1 << 4,	 /* its replies return so, whatever the settings say; */
	SERVICE_RETURN_TUNNEL = 1 << 5,	 /* or so */
};

/* The service behind a frontend. "Local only" chooses among the slots [0, local_count), everything else among
 * [cluster_first, backend_count). The ranges overlap, except for backends of this node that only "local only" may choose:
 * those that terminate while others are ready, and those whose hints name other zones. Frontends of one service port
 * share a list. */
struct service {
	__u32 backend_list;
	__u32 backend_count;
	__u32 local_count;
	__u32 cluster_first;
	__u32 affinity_seconds;
	__u32 flags; /* enum service_flag */
	__u32 source_ranges; /* the set of clients that may use this frontend (struct source_range); 0: all clients */
	__u32 table_size; /* entries of the list's Maglev table (service/maglev.h); 0: a secret hash chooses (service/secret_hash.h) */
};

/* Longest-prefix key of a client that the set admits: 32 bits of the set's number, then those of the address (IPv4
 * prefix n is 32 + 96 + n). A set is numbered by its content and never changes; one without entries admits no client.
 * TUNNEL_CLIENTS is not one of a service: it has the clients whose replies always return through the entry node. */
#define TUNNEL_CLIENTS 0xffffffff

struct source_range {
	__u32 prefix_length;
	__u32 set;
	struct address client;
};

struct slot {
	__u32 backend_list;
	__u32 index;
};

/* The list's Maglev table is in the slots from this index on, behind all backends that a list may have. */
#define TABLE_FIRST 0x100000

/* A backend that belongs to the list. Ids of backends are per address and port, whichever lists have them. */
struct member {
	__u32 backend_list;
	__u32 backend;
};

enum membership {
	MEMBER_KEPT,   /* in no slot: ready, but its hints name other nodes or zones. It keeps what it has. */
	MEMBER_CHOSEN, /* in a slot */
};

enum backend_flag {
	BACKEND_LOCAL = 1 << 0,	       /* on this node */
	BACKEND_HOST_NETWORK = 1 << 1, /* its address is the node's own */
	BACKEND_DRAINING = 1 << 2,     /* in no service's list: keeps its TCP connections, is given nothing new */
};

/* An endpoint of a service. One that is not ready, or terminates, is in no slot (no new connections) but
 * stays here until it is gone, so that its connections continue. */
struct backend {
	struct address address;
	struct address node; /* the node that runs it: where the entry node forwards to */
	__be16 port;
	__u8 protocol;
	__u8 flags; /* enum backend_flag */
};

/* The key of the hash by which backends are chosen (service/secret_hash.h): random, different on each node, and the same for as long as
 * the node's maps exist. */
struct secret {
	__u64 low;
	__u64 high;
};

/* Session affinity: which backend a client was given. */
struct affinity_key {
	struct address client;
	__u32 backend_list;
	__u32 padding;
};

struct affinity {
	__u64 last_used; /* ns, bpf_ktime_get_ns */
	__u32 backend;
	__u32 padding;
};

/* What is counted of a service's port besides refusals, which have their outcome's number. */
enum service_count_kind {
	SERVICE_COUNT_CONNECTIONS = 0, /* no refusal: passed to the stack */
	SERVICE_COUNT_REQUESTS = 1 << 8, /* packets to its backends */
	SERVICE_COUNT_ANSWERS, /* and from them */
};

struct service_count {
	__u32 backend_list;
	__u32 kind; /* enum service_count_kind, or enum outcome: a refusal */
};

struct service_counter {
	__u64 times;
	__u64 bytes; /* of packets: their length without the headers that they are wrapped in */
};
