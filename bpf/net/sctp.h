/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "packet.h"
#include <bpf/bpf_endian.h>

/* SCTP (RFC 9260): the header and the first chunk. The chunk that opens, answers or ends an association comes first in its packet. The
 * exception is an ABORT behind other chunks (section 6.10), which is not noticed. */

enum sctp_chunk {
	SCTP_INIT = 1,
	SCTP_INIT_ACK = 2,
	SCTP_ABORT = 6,
	SCTP_SHUTDOWN = 7,
	SCTP_SHUTDOWN_ACK = 8,
	SCTP_COOKIE_ACK = 11,
	SCTP_SHUTDOWN_COMPLETE = 14,
};

#define SCTP_T_BIT 1 /* of ABORT and SHUTDOWN COMPLETE: the tag is the one that the sender was addressed by */

struct sctp_start {
	__be32 ports;
	__be32 tag;
	__u32 checksum;
	__u8 chunk;
	__u8 chunk_flags;
	__be16 chunk_length;
};

/* What a packet says about its association. */
struct sctp_reading {
	__be32 ports;
	__be32 asked; /* the tag that an INIT or INIT ACK asks for */
	__u32 tag;
	__u32 flags; /* enum tcp_flag */
};

/* The flags of TCP that mean the same for a connection as the chunk. */
static __always_inline __u32 flags_of_chunk(__u8 chunk, __u8 chunk_flags)
{
	__u32 reflected = chunk_flags & SCTP_T_BIT ? SCTP_REFLECTED : 0;

	switch (chunk) {
	case SCTP_INIT:
		return TCP_SYN;
	case SCTP_INIT_ACK:
		return TCP_SYN | TCP_ACK;
	case SCTP_ABORT:
		return TCP_RST | reflected;
	case SCTP_SHUTDOWN:
	case SCTP_SHUTDOWN_ACK:
		return TCP_FIN | TCP_ACK;
	case SCTP_SHUTDOWN_COMPLETE:
		return TCP_FIN | TCP_ACK | reflected;
	case SCTP_COOKIE_ACK:
		return TCP_ACK | SCTP_ACCEPTED;
	default:
		return TCP_ACK;
	}
}

/* An INIT has no tag of its own, and neither it nor an INIT ACK asks for 0 (RFC 9260, 3.3.2 and 8.5.1).
 * Global: otherwise the verifier walks what follows once for each kind of chunk. @return 0, or -1: malformed */
__global int read_sctp(struct __sk_buff *skb, __u32 offset, struct sctp_reading *reading)
{
	struct sctp_start start;

	if (!skb || !reading || bpf_skb_load_bytes(skb, offset, &start, sizeof(start)))
		return -1;
	reading->ports = start.ports;
	reading->tag = bpf_ntohl(start.tag);
	reading->flags = flags_of_chunk(start.chunk, start.chunk_flags);
	if (!(reading->flags & TCP_SYN))
		return 0;
	if (bpf_skb_load_bytes(skb, offset + sizeof(start), &reading->asked, sizeof(reading->asked)))
		return -1;
	return !reading->asked || !(reading->flags & TCP_ACK) == !!reading->tag ? -1 : 0;
}

static __always_inline int parse_sctp(struct __sk_buff *skb, struct packet *packet)
{
	struct sctp_reading reading = {};

	if (read_sctp(skb, packet->l4_offset, &reading))
		return -1;
	__builtin_memcpy(&packet->tuple.source_port, &reading.ports, sizeof(reading.ports));
	packet->tcp_flags = reading.flags;
	packet->sequence = reading.asked;
	packet->next = reading.tag;
	return 0;
}
