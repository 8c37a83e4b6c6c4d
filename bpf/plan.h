/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "shared/outcome.h"
#include "tunnel/wrapping.h"

/* What to do with a packet. decide/ and the programs fill in a plan and change neither packets nor maps. At the end of each program
 * apply.h carries the plan out. */

/* The first four leave the packet as it is. */
enum exit {
	EXIT_PASS,	  /* as the kernel would without us */
	EXIT_DROP,
	EXIT_STACK,	  /* to the host's stack, whatever hardware address the packet came with */
	EXIT_REJECT,	  /* the same, which answers in place of a backend */
	EXIT_DESTINATION, /* wherever its destination is, once it is translated: becomes one of the next five, or STACK, PASS, DROP */
	EXIT_NODE,	  /* to another node, in `wrapping` */
	EXIT_ENDPOINT,	  /* to a workload here, by the next hop that was found */
	EXIT_NETWORK,	  /* out of an uplink, by the next hop that was found */
	EXIT_NEIGHBOUR,	  /* the same, but the kernel has to resolve the next hop's hardware address */
	EXIT_TOO_BIG,	  /* the same, but it does not fit: its sender is told */
	EXIT_QUOTED,	  /* a router's error about what this node wrapped: the sender of the packet inside is told */
	EXIT_ANSWER,	  /* back out of the interface that it came in by: a request for a hardware address, answered */
	EXIT_ENCRYPTED,	  /* wrapped already: to the device that encrypts it */
	EXIT_OWN,	  /* by the tunnel's device to a process of the node; from to_tunnel: into these programs (decide/own_request.h) */
};

enum translation {
	TRANSLATE_NOTHING,
	TRANSLATE_PACKET, /* as the entry of its connection says, in its direction */
	TRANSLATE_ERROR,  /* an ICMP error about a packet of the other direction: inside and outside */
};

enum remembering {
	REMEMBER_NOTHING,
	REMEMBER_PACKET,  /* of its connection, with its next hop */
	REMEMBER_MOVE,    /* the same, and that its replies go back as scratch's opening says */
	REMEMBER_ANSWER,  /* the backend of its connection, which this node forwarded, has answered */
	REMEMBER_OPENING, /* a new connection: scratch's opening, which becomes the packet's */
	REMEMBER_HOST_REQUEST, /* a datagram of this node's stack, whose answer is for that stack */
	REMEMBER_HOST_ANSWER,  /* such an answer: others may follow */
	FORGET_CONNECTION,     /* an earlier connection with the packet's addresses and ports */
};

struct plan {
	__u32 mark;		  /* for the host's stack; 0: none */
	__u8 outcome;		  /* enum outcome */
	__u8 exit;		  /* enum exit */
	__u8 translate;		  /* enum translation */
	__u8 remember;		  /* enum remembering */
	bool flow_is_known;	  /* of a refusal: scratch's flow is what the packet would have become */
	bool origin_is_known;	  /* REMEMBER_PACKET: its source was found to be right, at `origin` */
	__u8 asked;		  /* 1 << enum judged, of each policy that was asked: scratch's judgements have its answer */
	__u8 refused_by;	  /* enum judged: which of them refuses the packet */
	bool is_judged;		  /* its connection was judged again, and is allowed: scratch has the revisions */
	bool is_midway;		  /* of the node itself: a packet of no known connection that opens none (decide/midway.h) */
	bool is_judged_alone;	  /* of the node itself: no connection can be remembered, so that scratch's flow is judged for each packet */
	bool is_accepted;	  /* an earlier stage of the host endpoint lets the flow in, so that its later ones are not asked */
	__u32 service;		  /* the list of the service that the packet asks for, where that is counted; else 0 */
	bool is_sender_known;	  /* scratch has where its sender is */
	bool has_origin;	  /* of a packet that may open a connection and has none: `origin` is where it comes from */
	bool refusal_lasts;	  /* others from there to the same port are refused likewise */
	bool is_first_fragment;	  /* of a datagram in fragments: scratch has its ports, for the later ones (first_fragment.h) */
				  /* the fields above are cleared for each packet */
	struct wrapping wrapping; /* EXIT_NODE, which is never set without it */
	struct origin origin;
};

/* Set on packets from a workload to a service that kube-proxy handles. They are judged when they leave the host's stack, since policies
 * apply to backends. The bits between the marks belong to others: kube-proxy uses two of them. */
#define MARK_JUDGE_LATER 0xebf00002
#define MARK_BITS 0xfff0000f

/* Set on an ICMP error that our programs sent to an end of a connection (answer.h), on its way back into the uplink: from_uplink sends
 * it along that connection, as it does with a router's error. No frame from a network has a mark. */
#define MARK_OWN_ERROR 0xebf00003

/* Set on a packet of the tunnel that arrived encrypted, on its way to the tunnel's device: if nodes encrypt, from_tunnel accepts no
 * other. */
#define MARK_DECRYPTED 0xebf00004

/* Set on SCTP packets of the node's own processes on their way through the tunnel's device (decide/own_request.h). */
#define MARK_OWN_REQUEST 0xebf00005

static __always_inline bool is_own_error(const struct __sk_buff *skb)
{
	return skb->mark == MARK_OWN_ERROR;
}

static __always_inline bool is_judged_later(const struct __sk_buff *skb)
{
	return (skb->mark & MARK_BITS) == MARK_JUDGE_LATER;
}

static __always_inline void send(struct plan *plan, enum exit exit, enum outcome outcome)
{
	plan->exit = exit;
	plan->outcome = outcome;
}

static __always_inline void pass_to_stack(struct plan *plan)
{
	send(plan, EXIT_PASS, OUTCOME_PASS_TO_STACK);
}

/* The host's stack routes the packet. */
static __always_inline void route_by_stack(struct plan *plan)
{
	send(plan, EXIT_STACK, OUTCOME_PASS_TO_STACK);
}

/* The node's own stack answers with a RST or ICMP port unreachable (decide/refuse.h). */
static __always_inline void reject(struct plan *plan, enum outcome reason)
{
	send(plan, EXIT_REJECT, reason);
}

/* And does nothing else with the packet. */
static __always_inline void drop(struct plan *plan, enum outcome reason)
{
	send(plan, EXIT_DROP, reason);
	plan->translate = TRANSLATE_NOTHING;
	plan->remember = REMEMBER_NOTHING;
}

/* The same, if the packet after translation is known. */
static __always_inline void drop_flow(struct plan *plan, enum outcome reason)
{
	drop(plan, reason);
	plan->flow_is_known = true;
}

/* The packet's source was found to be right. Its connection records where the packet came from. */
static __always_inline void believe(struct plan *plan, const struct origin *origin)
{
	plan->origin = *origin;
	plan->origin_is_known = true;
}

/* The packet goes to `node` through a tunnel. Packets that are not between workloads are wrapped in VXLAN. */
static __always_inline void send_wrapped(struct plan *plan, const struct address *node, enum tunnel_kind kind, __u32 backend)
{
	plan->wrapping = (struct wrapping){.node = *node, .kind = kind, .backend = backend};
	send(plan, EXIT_NODE,
	     kind == TUNNEL_OVERLAY  ? OUTCOME_TO_OVERLAY
	     : kind == TUNNEL_RETURN ? OUTCOME_RETURN_VIA_ENTRY
				     : OUTCOME_FORWARD_SERVICE);
}

static __always_inline void send_overlay(struct plan *plan, const struct address *node, enum encapsulation encapsulation)
{
	send_wrapped(plan, node, TUNNEL_OVERLAY, 0);
	plan->wrapping.encapsulation = encapsulation;
}
