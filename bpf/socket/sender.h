/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../service/choose.h"
#include "memory.h"

/* The socket that has sent a packet: the kernel keeps it with the packet until a stack receives the packet. */

/* Whether the socket was given the packet's destination in place of a service's address. That address is left in `frontend`. */
static __always_inline bool was_given(struct bpf_sock *socket, const struct tuple *tuple, struct address *frontend, __be16 *port)
{
	return frontend_of_peer(socket, &tuple->destination, tuple->destination_port, frontend, port) ||
	       frontend_of_flow(socket, &tuple->destination, tuple->destination_port, frontend, port);
}

/* The list of the service that the sender's socket asked for; 0: it asked for none. */
__global __u32 list_of_sender(struct __sk_buff *skb, const struct tuple *tuple)
{
	const struct service *service;
	struct address frontend;
	struct bpf_sock *socket;
	__be16 port;

	if (!skb || !tuple)
		return 0;
	socket = skb->sk;
	if (!socket)
		return 0;
	socket = bpf_sk_fullsock(socket);
	if (!socket || !was_given(socket, tuple, &frontend, &port))
		return 0;
	service = service_find(&frontend, port, tuple->protocol);
	return service ? service->backend_list : 0;
}
