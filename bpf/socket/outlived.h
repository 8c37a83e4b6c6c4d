/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../net/kernel_socket.h"
#include "../service/choose.h"
#include "../service/source_range.h"
#include "../settings.h"
#include "memory.h"
#include "requester.h"
#include <linux/in.h>

/* Tells the agent which connected UDP sockets have outlived their backends, of all network namespaces in one walk. The agent ends them
 * (agent/pass/outlived-sockets.ts). A walk takes no memory and no room, so no workload's sockets push out those of others. */

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 seq_num;
} __of_kernel;

struct bpf_iter__bpf_sk_storage_map {
	struct bpf_iter_meta *meta;
	struct sock *sk;
	void *value;
} __of_kernel;

/* Written after SOCKETS_WALKED sockets: it fills what the agent reads at once, which ends the read. */
static const struct outlived_socket nothing[SOCKETS_TOLD];

/* Whether the socket is connected to that backend. It is not any more if it was disconnected (AF_UNSPEC), or ended by the agent. */
static __always_inline bool has_backend(const struct sock *socket, const struct socket_peer *peer)
{
	return socket->sk_protocol == IPPROTO_UDP && peer->backend && is_peer(socket, &peer->address, peer->port);
}

/* The service at the address that the socket asked for. */
static __always_inline const struct service *service_now_at(const struct address *address, __be16 port)
{
	return is_loopback(address) ? loopback_find(address, port, IPPROTO_UDP) : service_find(address, port, IPPROTO_UDP);
}

/* Whether the socket's packets go nowhere, or to a destination that is no longer allowed. Services that are left to kube-proxy serve
 * sockets that were bound to them before. */
static __always_inline bool is_outlived(const struct socket_peer *peer, const struct requester *owner, const struct settings *settings)
{
	const struct service *service = service_now_at(&peer->frontend, peer->frontend_port);

	if (!service)
		return true;
	if (!is_handled_here(service, settings))
		return false;
	return !may_use(service, &owner->address) || !is_member(service, peer->backend);
}

/* Called for each socket that was ever given a backend at connect(), those of TCP too, and once at the end. */
static __always_inline int tell_if_outlived(struct bpf_iter__bpf_sk_storage_map *context)
{
	const struct settings *settings = settings_get();
	struct bpf_iter_meta *meta = context->meta;
	const struct socket_peer *peer = context->value;
	struct sock *socket = context->sk;
	struct outlived_socket told = {};
	struct requester owner;

	if (!socket || !peer || !settings)
		return 0;
	if (meta->seq_num % SOCKETS_WALKED == SOCKETS_WALKED - 1)
		bpf_seq_write(meta->seq, nothing, sizeof(nothing));
	told.peer = *peer;
	if (!has_backend(socket, &told.peer))
		return 0;
	told.network_namespace = socket->__sk_common.skc_net.net->net_cookie;
	requester_in(told.network_namespace, settings, &told.peer.frontend, &owner);
	if (owner.kind == REQUESTER_OTHER)
		return 0;
	told.is_kept = !is_outlived(&told.peer, &owner, settings);
	if (told.is_kept && (owner.kind != REQUESTER_HOST || !service_now_at(&told.peer.address, told.peer.port)))
		return 0;
	/* Read, not asked for: a socket that is closed meanwhile may be freed, and the helper would write to one without a cookie. */
	told.cookie = socket->__sk_common.skc_cookie.counter;
	told.family = socket->__sk_common.skc_family;
	told.interface = socket->__sk_common.skc_bound_dev_if;
	told.source = own_address_of(socket);
	told.source_port = own_port_of(socket);
	bpf_seq_write(meta->seq, &told, sizeof(told));
	return 0;
}
