/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "ipv4.h"
#include "ipv6.h"

/* Whether a TCP socket of this network namespace waits for connections at the destination of `tuple`: then that end did not open the
 * connection. No established socket has the source port 0 on its other side, so the lookup finds listeners only. */
__global bool is_listened_to(struct __sk_buff *skb, const struct tuple *tuple)
{
	struct bpf_sock_tuple question = {};
	struct bpf_sock *socket;
	__u32 size;

	if (!skb || !tuple || tuple->protocol != IPPROTO_TCP)
		return false;
	if (is_ipv4(&tuple->destination)) {
		question.ipv4.saddr = address_to_ipv4(&tuple->source);
		question.ipv4.daddr = address_to_ipv4(&tuple->destination);
		question.ipv4.dport = tuple->destination_port;
		size = sizeof(question.ipv4);
	} else {
		__builtin_memcpy(question.ipv6.saddr, &tuple->source, sizeof(struct address));
		__builtin_memcpy(question.ipv6.daddr, &tuple->destination, sizeof(struct address));
		question.ipv6.dport = tuple->destination_port;
		size = sizeof(question.ipv6);
	}
	socket = bpf_skc_lookup_tcp(skb, &question, size, BPF_F_CURRENT_NETNS, 0);
	if (!socket)
		return false;
	bpf_sk_release(socket);
	return true;
}
