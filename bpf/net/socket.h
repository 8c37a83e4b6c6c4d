/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "ipv4.h"
#include "ipv6.h"

/* Whether a socket of the node's network namespace receives packets with these addresses and ports; for TCP also a listening socket.
 * Sockets of other protocols cannot be looked up. @param from the source port to ask with, in place of the tuple's */
__global bool has_socket(struct __sk_buff *skb, const struct tuple *tuple, __be16 from)
{
	struct bpf_sock_tuple question = {};
	struct bpf_sock *socket;
	__u32 size;

	if (!skb || !tuple)
		return false;
	if (is_ipv4(&tuple->destination)) {
		question.ipv4.saddr = address_to_ipv4(&tuple->source);
		question.ipv4.daddr = address_to_ipv4(&tuple->destination);
		question.ipv4.sport = from;
		question.ipv4.dport = tuple->destination_port;
		size = sizeof(question.ipv4);
	} else {
		__builtin_memcpy(question.ipv6.saddr, &tuple->source, sizeof(struct address));
		__builtin_memcpy(question.ipv6.daddr, &tuple->destination, sizeof(struct address));
		question.ipv6.sport = from;
		question.ipv6.dport = tuple->destination_port;
		size = sizeof(question.ipv6);
	}
	if (tuple->protocol == IPPROTO_TCP)
		socket = bpf_skc_lookup_tcp(skb, &question, size, BPF_F_CURRENT_NETNS, 0);
	else if (tuple->protocol == IPPROTO_UDP)
		socket = bpf_sk_lookup_udp(skb, &question, size, BPF_F_CURRENT_NETNS, 0);
	else
		return false;
	if (!socket)
		return false;
	bpf_sk_release(socket);
	return true;
}

/* Whether a TCP socket listens at the destination of `tuple`: then that end did not open the connection. No established socket has the
 * source port 0 on its other side, so the lookup finds listening sockets only. */
static __always_inline bool is_listened_to(struct __sk_buff *skb, const struct tuple *tuple)
{
	return tuple->protocol == IPPROTO_TCP && has_socket(skb, tuple, 0);
}
