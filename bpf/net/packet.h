/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../shared/connection.h"
#include "../shared/event.h"
#include "address.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <stddef.h>

enum tcp_flag {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_ACK = 0x10,
	SCTP_REFLECTED = 0x40, /* a closing packet of an end that knows no such association: it repeats the tag that it was sent */
	SCTP_ACCEPTED = 0x80,  /* COOKIE ACK: the server has found its own cookie right */
};

/* A parsed packet. Offsets count from the Ethernet header. */
struct packet {
	struct __sk_buff *skb;
	struct tuple tuple;
	__u16 l4_offset;
	__u8 tcp_flags;	 /* SCTP: those that mean the same (sctp.h) */
	bool l4_present; /* false: a later fragment, whose ports come from the first */
	__be32 sequence; /* TCP; SCTP: the tag that an INIT or INIT ACK asks for */
	__u32 next;	 /* TCP: the sequence number after this packet; SCTP: its verification tag; host byte order */
	__u8 hook;	 /* enum hook: the program that reads it */
	bool is_half_open; /* its connection was not established before this packet */
	bool is_answer; /* ICMP: it opens no flow, as an answer does, or a fragment of which that is not known */
	bool is_tried_again; /* a SYN with the ports of one that was refused, or that nothing has answered */
	struct connection *connection; /* that it belongs to, once that is known; NULL: none */
};

static __always_inline bool is_from_network(const struct packet *packet)
{
	return packet->hook == HOOK_FROM_UPLINK || packet->hook == HOOK_FROM_TUNNEL;
}

/* Whether its sender is on this node: a workload, or a process of the node itself. */
static __always_inline bool is_from_here(const struct packet *packet)
{
	return packet->hook == HOOK_FROM_WORKLOAD || packet->hook == HOOK_FROM_NODE;
}

/* The verifier treats the memory of a packet that a global function has had as numbers: the pointers in it are written again. */
static __always_inline void restore_pointers(struct packet *packet, struct __sk_buff *skb, struct connection *connection)
{
	packet->skb = skb;
	packet->connection = connection;
}

/* Whether connections of the protocol begin with a handshake. */
static __always_inline bool has_handshake(__u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_SCTP;
}

/* A SYN, or the INIT of SCTP. */
static __always_inline bool packet_is_syn(const struct packet *packet)
{
	return has_handshake(packet->tuple.protocol) && (packet->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

/* Whether the packet opens a connection: a SYN, or any packet of a protocol without a handshake. */
static __always_inline bool packet_may_open(const struct packet *packet)
{
	return !has_handshake(packet->tuple.protocol) || packet_is_syn(packet);
}

/* Whether the transport's header begins with two ports. */
static __always_inline bool begins_with_ports(__u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

/* An echo has an identifier in place of ports, which must not be rewritten. */
static __always_inline bool has_ports(const struct tuple *tuple)
{
	return tuple->protocol != IPPROTO_ICMP && tuple->protocol != IPPROTO_ICMPV6;
}

/* The same flow seen from its other end. */
static __always_inline struct tuple reversed(const struct tuple *tuple)
{
	return (struct tuple){
		.source = tuple->destination,
		.destination = tuple->source,
		.source_port = tuple->destination_port,
		.destination_port = tuple->source_port,
		.protocol = tuple->protocol,
	};
}

/* A field of the context that is a pointer. In assembly, because Clang keeps it in half a register for later use, and the verifier then
 * no longer knows that it is a pointer. */
#define POINTER_IN(context, type, field)                                                                               \
	({                                                                                                             \
		void *pointer;                                                                                         \
		asm volatile("%0 = *(u32 *)(%1 + %2)" : "=r"(pointer) : "r"(context), "i"(offsetof(type, field)));     \
		pointer;                                                                                               \
	})

#define POINTER_OF(skb, field) POINTER_IN(skb, struct __sk_buff, field)

/* Pointer to the packet's bytes from `offset` on; NULL: they are not in one piece. */
static __always_inline void *bytes_at(struct __sk_buff *skb, __u32 offset, __u32 length)
{
	void *start = POINTER_OF(skb, data), *end = POINTER_OF(skb, data_end);

	return start + offset + length > end ? NULL : start + offset;
}
