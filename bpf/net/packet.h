/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../maps/state.h"
#include "../observe/trace.h"
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stddef.h>

#define IP_OFFSET ETH_HLEN
#define VXLAN_PORT 4789
#define PACKET_HOST 0 /* linux/if_packet.h */

/* Set on what our programs send themselves, so that the uplink's egress hook does not look at it again. */
#define MARK_FORWARDED 0xebf00001

/* Set on what a workload sends to a service that kube-proxy handles: to be judged when it leaves the host's stack, since
 * policies speak of backends. Bits between are left to others: kube-proxy uses two of them. */
#define MARK_JUDGE_LATER 0xebf00002
#define MARK_BITS 0xfff0000f

enum tcp_flag {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_ACK = 0x10,
};

/* A parsed packet. Offsets count from the Ethernet header. */
struct packet {
	struct __sk_buff *skb;
	struct tuple tuple;
	__u16 l4_offset;
	__u8 tcp_flags;
	bool l4_present; /* false: a later fragment, whose ports come from the first */
	__be32 sequence; /* TCP */
	__u32 next;	 /* TCP: the sequence number after this packet; host byte order */
};

/* Opens a connection: a SYN, or any packet of a protocol without one. */
static __always_inline bool packet_is_syn(const struct packet *packet)
{
	return packet->tuple.protocol == IPPROTO_TCP && (packet->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

static __always_inline bool packet_may_open(const struct packet *packet)
{
	return packet->tuple.protocol != IPPROTO_TCP || packet_is_syn(packet);
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

/* For the port of our tunnels (RFC 7348). */
static __always_inline bool is_vxlan(const struct tuple *tuple)
{
	return tuple->protocol == IPPROTO_UDP && tuple->destination_port == bpf_htons(VXLAN_PORT);
}

/* A field of the context that is a pointer. Written out, since Clang keeps it in half a register for later use, and the
 * verifier no longer takes that for a pointer. */
#define POINTER_OF(skb, field)                                                                                         \
	({                                                                                                             \
		void *pointer;                                                                                         \
		asm volatile("%0 = *(u32 *)(%1 + %2)"                                                                  \
			     : "=r"(pointer)                                                                           \
			     : "r"(skb), "i"(offsetof(struct __sk_buff, field)));                                      \
		pointer;                                                                                               \
	})

#define VLAN_ID_MASK 0x0fff

/* A tag without an identifier only gives a priority (IEEE 802.1Q): the frame is as one without. */
static __always_inline bool is_in_vlan(const struct __sk_buff *skb)
{
	return skb->vlan_present && (skb->vlan_tci & VLAN_ID_MASK);
}

/* The packet's bytes from `offset` where they lie; NULL: they are not in one piece. */
static __always_inline void *bytes_at(struct __sk_buff *skb, __u32 offset, __u32 length)
{
	void *start = POINTER_OF(skb, data), *end = POINTER_OF(skb, data_end);

	return start + offset + length > end ? NULL : start + offset;
}

static __always_inline struct iphdr *ip_header(struct __sk_buff *skb)
{
	return bytes_at(skb, IP_OFFSET, sizeof(struct iphdr));
}

static __always_inline const struct settings *settings_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&settings, &zero);
}

static __always_inline bool is_left_to_host(const struct settings *settings)
{
	return settings->service_handling == SERVICES_LEFT_TO_HOST;
}

/* Every program ends here: the outcome is counted, the action returned. */
static __always_inline int finish(struct __sk_buff *skb, enum outcome outcome, int action)
{
	__u32 index = outcome;
	struct outcome_counter *counter = bpf_map_lookup_elem(&outcomes, &index);

	if (counter) {
		counter->packets++;
		counter->bytes += skb->len;
	}
	trace_finished(skb, outcome);
	return action;
}

static __always_inline int drop(struct __sk_buff *skb, enum outcome reason)
{
	report_refused(skb, reason, NULL);
	return finish(skb, reason, TC_ACT_SHOT);
}

/* The same where it is known what the packet would have become. */
static __always_inline int drop_flow(struct __sk_buff *skb, enum outcome reason, const struct tuple *flow)
{
	report_refused(skb, reason, flow);
	return finish(skb, reason, TC_ACT_SHOT);
}

static __always_inline int pass_to_stack(struct __sk_buff *skb)
{
	return finish(skb, OUTCOME_PASS_TO_STACK, TC_ACT_OK);
}

/* To be routed by the host's stack, whatever hardware address the packet came with. */
static __always_inline int route_by_stack(struct __sk_buff *skb)
{
	bpf_skb_change_type(skb, PACKET_HOST);
	return pass_to_stack(skb);
}

static __always_inline bool is_judged_later(const struct __sk_buff *skb)
{
	return (skb->mark & MARK_BITS) == MARK_JUDGE_LATER;
}
