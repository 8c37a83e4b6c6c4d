/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../connection/live.h"
#include "../net/socket_address.h"
#include "memory.h"
#include "report.h"
#include "requester.h"

/* What a socket, or its packets, were given for a frontend before. */

/* What the socket was given for this frontend before: the peer that it is connected to, or the backend of its datagrams. @return false:
 * nothing */
__global bool recall(struct bpf_sock_addr *socket, struct socket_peer *peer)
{
	if (!socket || !peer)
		return false;
	if (is_connected_to(socket, &peer->frontend, peer->frontend_port, peer))
		return true;
	peer->backend = remembered_backend(socket, &peer->frontend, peer->frontend_port);
	return peer->backend;
}

/* Whether the socket is connected to the address itself that it sends to. It receives from there only, so no backend may take its place. Of a socket of
 * AF_INET6 that is connected to IPv4, the kernel shows each datagram to sendmsg4, as if it were not connected. */
static __always_inline bool is_connected_plainly(struct bpf_sock_addr *socket, enum family family)
{
	struct bpf_sock *own = socket->sk;

	if (own->dst_port != socket->user_port)
		return false;
	if (family == FAMILY_IPV4)
		return own->dst_ip4 == socket->user_ip4;
	return own->dst_ip6[0] == socket->user_ip6[0] && own->dst_ip6[1] == socket->user_ip6[1] &&
	       own->dst_ip6[2] == socket->user_ip6[2] && own->dst_ip6[3] == socket->user_ip6[3];
}

/* Whether the flow of a workload's socket to a frontend that it does not remember is the packet path's: because the socket remembers as many others as it can,
 * or because that path, or kube-proxy, has given the flow its backend before the setting changed. Packets to the backend itself would meet that
 * flow, whose ends see other addresses. */
__global bool is_flow_of_packets(struct bpf_sock_addr *socket, const struct requester *requester,
					  const struct address *frontend)
{
	struct tuple tuple = {.protocol = IPPROTO_UDP};
	const struct connection *flow;

	if (!socket || !requester || !frontend || requester->kind != REQUESTER_WORKLOAD)
		return false;
	if (remembers_most(socket))
		return true;
	tuple.source = requester->address;
	tuple.source_port = port_of(socket);
	tuple.destination = *frontend;
	tuple.destination_port = socket->user_port;
	flow = live_connection(&tuple);
	return flow && !(flow->flags & CONNECTION_REPLY) && (flow->backend || (flow->flags & CONNECTION_JUDGED_LATER));
}
