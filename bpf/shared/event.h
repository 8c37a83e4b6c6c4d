/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "connection.h"

/* What the packet path reports of single packets (map `events`). OPENED and REFUSED while there are listeners; the others are
 * the steps of a traced packet, reported by the traced build of the programs only. */
enum event_kind {
	EVENT_OPENED,	 /* a connection's first packet: `packet` as it came, `address` and `port` where it goes */
	EVENT_REFUSED,	 /* a packet was dropped or rejected: `outcome` says why; `address` the backend, if one was chosen */
	EVENT_CONNECTED, /* a socket asked for a service and was given a backend; its own address is not known yet */
	EVENT_ARRIVED,	 /* trace: seen at `hook` of `interface`; `node` wrapped it, `backend` travelled along */
	EVENT_KNOWN,	 /* trace: belongs to a connection: `flags`, `address`, `port`, `node`, `backend` are its entry's */
	EVENT_CHOSEN,	 /* trace: of `backend_list` this backend; `backend` 0: there is none */
	EVENT_JUDGED,	 /* trace: by one direction of one endpoint's policy; `packet` is the flow after translation */
	EVENT_WRAPPED,	 /* trace: for `node`, in `encapsulation`; `flags` is enum tunnel_kind */
	EVENT_FINISHED,	 /* trace: `packet` as it leaves the program, `outcome` what became of it */
	EVENT_LOGGED,	 /* a Log rule matched: as EVENT_JUDGED, in every build, whether there are listeners or not */
};

/* The programs, as a trace names them. */
enum hook {
	HOOK_FROM_UPLINK,
	HOOK_TO_UPLINK,
	HOOK_FROM_TUNNEL,
	HOOK_FROM_WORKLOAD,
	HOOK_TO_WORKLOAD,
	HOOK_CONNECT,
	HOOK_SENDMSG,
	HOOK_TO_TUNNEL,
	HOOK_TO_LOOPBACK,
	HOOK_FROM_NODE, /* from_tunnel, of what the node's own processes send */
};

/* Fields that a kind does not name are zero. */
struct event {
	__u64 time; /* ns, bpf_ktime_get_ns */
	struct tuple packet;
	struct address address;
	struct address node;
	__be16 port;
	__be16 peer_port;  /* source port shown to the backend, where it was changed */
	__u32 flags;	   /* enum connection_flag, unless the kind says otherwise */
	__u32 backend;
	__u32 backend_list;
	__u32 interface;
	__u32 policy;	   /* of a judgement, and of the refusal by one: enum outcome says which direction */
	__u32 identity;	   /* of the peer that was judged */
	__u32 rule;	   /* number of the reason of a denial and of the Log rules that matched; 0: no entry matched, the policy's default */
	__u32 cpu;
	__u8 kind;	/* enum event_kind */
	__u8 hook;	/* enum hook; traces only */
	__u8 outcome;	/* enum outcome */
	__u8 direction; /* enum direction */
	__u8 verdict;	/* enum policy_verdict; 0: the endpoint is not isolated, or it is its own node */
	__u8 tcp_flags;
	__u8 encapsulation; /* enum encapsulation */
	__u8 padding[5];
};

/* Whether there are listeners; one entry, key 0. A listener renews it, so that a killed one is forgotten. */
struct listening {
	__u64 until; /* ns, bpf_ktime_get_ns; 0: none */
};

/* Which packets a trace is about, in both directions; one entry, key 0. A socket that asks for a service has no address yet: it is
 * recognised by the frontend that it asks for and the port that it is bound to. */
struct trace {
	__u64 until; /* ns, bpf_ktime_get_ns; 0: none */
	struct address client;
	struct address frontend;
	__be16 client_port;
	__be16 frontend_port;
	__be16 peer_port; /* written by the packet path: the port that the backend sees instead of the client's */
	__u8 protocol;
	__u8 padding;
};

/* A flood must not cost more than its counters: at most this many events of each kind per CPU and window. */
#define REPORT_WINDOW_NS 100000000
#define REPORT_MOST_OPENED 500
#define REPORT_MOST_REFUSED 50
#define REPORT_MOST_LOGGED 50

/* Of refused and logged packets one sender gets a fifth of these, and all senders behind one interface three fifths. */
#define REPORT_PARTS 5
#define REPORT_PARTS_SENDER 1
#define REPORT_PARTS_INTERFACE 3

/* Index of the counters (map `reports`). */
enum report {
	REPORT_OPENED,
	REPORT_REFUSED,
	REPORT_LOGGED,
	REPORT_COUNT,
};

struct report_counter {
	__u64 window; /* since boot, counted */
	__u64 in_window;
	__u64 sent;
	__u64 suppressed; /* over the limit */
	__u64 lost;	  /* the ring was full */
};

/* The owner of a share (map `report_shares`) changes with each window. */
#define REPORT_SHARES 1024

struct report_share {
	__u64 window; /* since boot, counted */
	__u64 in_window;
};
