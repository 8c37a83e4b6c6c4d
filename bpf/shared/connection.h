/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "address.h"

/* A packet's addresses, as it is seen before any translation. ICMP: the identifier of who asks, and of who is asked the query's
 * type << 8 | code. */
struct tuple {
	struct address source;
	struct address destination;
	__be16 source_port;
	__be16 destination_port;
	__u8 protocol;
	__u8 padding[3];
};

/* An entry outlives the version that wrote it: the next version takes it over by the names of its fields
 * (agent/kernel/older-layouts.ts). So a flag keeps its number, and a field with another meaning gets another name. */
enum connection_flag {
	CONNECTION_REPLY = 1 << 0,	   /* this entry is the responder's direction */
	CONNECTION_TRANSLATED = 1 << 1,	   /* rewrite to `address`, `port` (and `peer_port`) */
	CONNECTION_FORWARDED = 1 << 2,	   /* entry node: wrap and send to `node`, untranslated */
	CONNECTION_VIA_ENTRY = 1 << 3,	   /* backend's node, tunnel mode: replies go wrapped to `node` */
	CONNECTION_DIRECT_RETURN = 1 << 4, /* replies go straight to the client */
	CONNECTION_SYN = 1 << 5,	   /* TCP, SCTP: only a SYN or INIT was seen */
	CONNECTION_CLOSED = 1 << 6,	   /* TCP: FIN in both directions; SCTP: SHUTDOWN, likewise */
	CONNECTION_FIN = 1 << 7,	   /* TCP: this direction sent FIN; SCTP: SHUTDOWN */
	CONNECTION_ANSWERED = 1 << 8,	   /* the other direction was seen */
	CONNECTION_HOST_BACKEND = 1 << 9,  /* the backend is the node itself: its reply passes the host stack */
	CONNECTION_VIA_STACK = 1 << 10,	   /* passes the kernel's stack, which may translate it (natOutgoing, kube-proxy) */
	CONNECTION_JUDGED_LATER = 1 << 11, /* kube-proxy gives it its backend: judged where it leaves the stack */
	CONNECTION_LARGE = 1 << 12,	   /* backend's node, tunnel mode: has sent replies as large segments (wrapping.h); FORWARDED: packets that do not fit once wrapped, so that the card's driver leaves all to tc (early.h) */
	CONNECTION_RESET = 1 << 13,	   /* TCP: RST, SCTP: ABORT, and nothing came after it */
	CONNECTION_HAIRPIN = 1 << 14,	   /* a workload to itself by a service: it sees the frontend in its own place */
	CONNECTION_MASQUERADED = 1 << 15, /* to a host outside the cluster: it sees this node's address and a port of it as the client */
	CONNECTION_REFUSED = 1 << 16,	   /* to a port of the node that no socket has: its stack answers */
	CONNECTION_NOT_JUDGED = 1 << 17, /* of the node's own address, but not the node's: the stack gave it to a packet that was judged before */
	CONNECTION_BY_GATEWAY = 1 << 18,   /* leaves the cluster by another node, `node`; with MASQUERADED: this is that node (egress.h) */
};

/* Ports of the node that replace the ports of clients whose address it hides. They are below the ports that its kernel gives to sockets
 * by default (from 32768) and below the node ports, and above the tunnel's port, at which packets are treated as wrapped. Towards one
 * address and port of a host, one client may use MASQUERADE_PORTS_OF_CLIENT of the first MASQUERADE_PORTS_SHARED. The others are kept:
 * MASQUERADE_PORTS_KEPT for each client, by the last byte of its address. ICMP: identifiers. */
#define MASQUERADE_PORT_FIRST 5120
#define MASQUERADE_PORTS 24576
#define MASQUERADE_PORTS_SHARED 20480
#define MASQUERADE_PORTS_OF_CLIENT 10240
#define MASQUERADE_PORTS_KEPT 16

/* How long an idle connection is known. Not shorter than with kube-proxy (README.md has both). No process sweeps the tables, and an idle
 * entry makes room when others need it. A closed connection is known for longer than its backend's TIME_WAIT: see connection/open.h. */
#define SECONDS_TCP_ESTABLISHED 86400
#define SECONDS_TCP_OPENING 60
#define SECONDS_TCP_ONE_FIN 3600
#define SECONDS_TCP_CLOSED 120
#define SECONDS_UDP_ANSWERED 180
#define SECONDS_UDP 60
#define SECONDS_ICMP 30

#define ORIGIN_BEFORE_STACK 0xffffffff /* in place of a node: where the stack had it from */

/* Where a packet came from, as far as the packet itself proves it. */
struct origin {
	__u32 interface; /* ifindex; of a wrapped packet that of the tunnel device */
	__u32 node;	 /* of a wrapped packet: the words of the address of the node that wrapped it, combined; else 0 */
	__u8 mac[6];	 /* the sender's hardware address, whole: one that is like it is easily chosen */
	__u8 padding[2];
};

enum next_hop_kind {
	NEXT_HOP_ENDPOINT, /* a workload here */
	NEXT_HOP_NETWORK,
	NEXT_HOP_NODE, /* wrapped in VXLAN, to the connection's `node` */
	NEXT_HOP_STACK, /* the host's stack finds out */
	NEXT_HOP_NODE_IPIP, /* the same, in IPIP */
};

/* How packets of a connection were last sent on (connection/next_hop.h). */
struct next_hop {
	__u64 until;	 /* ns, bpf_ktime_get_coarse_ns; later it has to be found again */
	__u32 interface; /* ifindex */
	__u16 mtu;	 /* bytes, of the link */
	__u16 kind;	 /* enum next_hop_kind */
	__u8 destination_mac[6];
	__u8 source_mac[6];
	__u8 padding[4];
};

/* Connection tracking keeps one entry per direction, so a packet costs one lookup. Entries are not swept:
 * one that has been idle longer than its timeout is treated as absent, and makes room for others.
 * What every packet needs comes first. */
struct connection {
	__u64 last_seen; /* ns, bpf_ktime_get_coarse_ns */
	__u64 packets;
	__u32 flags; /* enum connection_flag */
	__u32 policy_revision; /* of the node (`settings`), when it was last found to be allowed */
	__u32 backend; /* id, 0: no service */
	__u32 service; /* the list of the service whose traffic its packets are counted as; 0: they are not counted */
	struct origin origin; /* of packets whose source was found to be right (policy/source.h); zero: none yet */
	__u32 next; /* TCP: the sequence number after what this direction has sent; SCTP: the tag of its packets, 0: not known; host byte order */
	__u32 place; /* established: where it is kept (connection/place.h) */
	struct next_hop next_hop;
	struct address address; /* forward: the backend; reply: the frontend that the client used */
	struct address node;	/* the node that packets are wrapped for: FORWARDED the backend's, VIA_ENTRY the entry node. MASQUERADED: who
				 * stands for the client (forward), the client (reply) */
	__be16 port;
	__be16 peer_port; /* forward: the source port shown to the backend; reply: the client's own */
	__be32 sequence;  /* TCP: of the SYN that opened it; SCTP: the tag that its INIT asked for. Another one is a new connection */
	__u32 ends_revision; /* of its ends on this node, when it was last judged (policy/judge.h); 0: has to be judged */
	__u8 padding[4];
};

/* The entry of `connections` that has this place; no entry, if that entry has another place. */
struct place {
	__u64 taken; /* ns, bpf_ktime_get_ns */
	struct tuple tuple;
};

/* UDP that this node's stack has sent as the node itself (service/host_requests.h). */
struct host_request {
	__u64 asked; /* ns, bpf_ktime_get_coarse_ns */
};

/* A datagram in fragments. Only its first fragment carries the ports, so they are kept for the later ones. */
struct fragment_key {
	struct address source;
	struct address destination;
	__be32 identification; /* IPv4: 16 bits */
	__u8 protocol;	       /* IPv6: 0, since its later fragments do not name the transport (RFC 8200, 4.5) */
	__u8 padding[3];
};

struct fragment_ports {
	__be16 source_port;
	__be16 destination_port;
	__u8 protocol;
	__u8 padding[3];
};
