/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../maps/sockets.h"
#include "../net/address.h"
#include <linux/in.h>

/* What a socket remembers: the backend behind each frontend that it talks to, so that a flow keeps its backend, and the frontend behind
 * each backend, so that the program sees the address it asked for. */

/* The memory of an unconnected socket. Several threads may send at once: each reads and writes under the lock. */
struct socket_flows {
	struct bpf_spin_lock lock;
	__u32 newest; /* the flow of the last datagram */
	__u32 next;   /* the slot to use next */
	__u32 padding;
	struct socket_peer flow[SOCKET_FLOWS];
};

/* unconnected socket -> its flows. Written and read by the socket hooks. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct socket_flows);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} socket_flows SEC(".maps");

static __always_inline bool is_frontend(const struct socket_peer *peer, const struct address *address, __be16 port)
{
	return peer->backend && peer->frontend_port == port && address_is_equal(&peer->frontend, address);
}

static __always_inline bool is_backend(const struct socket_peer *peer, const struct address *address, __be16 port)
{
	return peer->backend && peer->port == port && address_is_equal(&peer->address, address);
}

static __always_inline void remember_peer(struct bpf_sock_addr *socket, const struct socket_peer *peer)
{
	struct socket_peer *own = bpf_sk_storage_get(&socket_peers, socket->sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);

	if (own)
		*own = *peer;
}

/* The socket connects to an ordinary address: its earlier peer must no longer be shown. */
static __always_inline void forget_peer(struct bpf_sock_addr *socket)
{
	struct socket_peer *own = bpf_sk_storage_get(&socket_peers, socket->sk, NULL, 0);

	if (own)
		own->backend = 0;
}

static __always_inline void remember_flow(struct bpf_sock_addr *socket, const struct socket_peer *peer)
{
	struct socket_flows *flows =
		bpf_sk_storage_get(&socket_flows, socket->sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	__u32 place;

	if (!flows)
		return;
	bpf_spin_lock(&flows->lock);
	for (place = 0; place < SOCKET_FLOWS; place++) {
		if (is_frontend(&flows->flow[place], &peer->frontend, peer->frontend_port))
			break;
	}
	if (place == SOCKET_FLOWS)
		place = flows->next++ % SOCKET_FLOWS;
	flows->flow[place] = *peer;
	flows->newest = place;
	bpf_spin_unlock(&flows->lock);
}

/* The backend that the flow from this socket to the frontend was given; 0: none. */
__global __u32 remembered_backend(struct bpf_sock_addr *socket, const struct address *frontend, __be16 port)
{
	struct socket_flows *flows;
	__u32 found = 0;
	__u32 place;

	if (!socket || !frontend)
		return 0;
	flows = bpf_sk_storage_get(&socket_flows, socket->sk, NULL, 0);
	if (!flows)
		return 0;
	bpf_spin_lock(&flows->lock);
	for (place = 0; place < SOCKET_FLOWS; place++) {
		if (!is_frontend(&flows->flow[place], frontend, port))
			continue;
		found = flows->flow[place].backend;
		break;
	}
	bpf_spin_unlock(&flows->lock);
	return found;
}

/* Whether the socket remembers as many frontends as it can. */
static __always_inline bool remembers_most(struct bpf_sock_addr *socket)
{
	struct socket_flows *flows = bpf_sk_storage_get(&socket_flows, socket->sk, NULL, 0);

	return flows && flows->next >= SOCKET_FLOWS;
}

/* An unconnected socket sends to a backend itself. If it also talks to that backend by a frontend, the backend's answers are shown as they are from
 * now on, until the program names the frontend again: the address counts as one more frontend. Separate function: few sockets get there. */
static __noinline int remember_plain(struct bpf_sock_addr *socket, const struct address *address, __be16 port)
{
	struct socket_peer peer = {.frontend_port = port, .port = port};
	struct socket_flows *flows;
	__u32 place;

	if (!socket || !address)
		return 0;
	flows = bpf_sk_storage_get(&socket_flows, socket->sk, NULL, 0);
	if (!flows)
		return 0;
	peer.frontend = peer.address = *address;
	bpf_spin_lock(&flows->lock);
	for (place = 0; place < SOCKET_FLOWS; place++) {
		if (!is_backend(&flows->flow[place], address, port))
			continue;
		peer.backend = flows->flow[place].backend;
		break;
	}
	bpf_spin_unlock(&flows->lock);
	if (peer.backend)
		remember_flow(socket, &peer);
	return 0;
}

/* A connected socket receives from its peer only, so a datagram that names the frontend again goes to that peer, too. */
static __always_inline bool is_connected_to(struct bpf_sock_addr *socket, const struct address *frontend, __be16 port,
					    struct socket_peer *peer)
{
	const struct socket_peer *own = bpf_sk_storage_get(&socket_peers, socket->sk, NULL, 0);

	if (!own || !is_frontend(own, frontend, port) || socket->sk->dst_port != own->port)
		return false;
	*peer = *own;
	return true;
}

/* The frontend behind a backend that a connected socket talks to. A socket that was disconnected (AF_UNSPEC) since, for which the kernel calls no
 * program, has none. */
static __always_inline bool frontend_of_peer(struct bpf_sock *socket, const struct address *backend, __be16 port,
					     struct address *frontend, __be16 *frontend_port)
{
	const struct socket_peer *own = bpf_sk_storage_get(&socket_peers, socket, NULL, 0);

	if (!own || !is_backend(own, backend, port) || socket->dst_port != port)
		return false;
	*frontend = own->frontend;
	*frontend_port = own->frontend_port;
	return true;
}

/* The same for an unconnected socket. If two frontends have this backend, the last datagram decides. */
static __always_inline bool frontend_of_flow(struct bpf_sock *socket, const struct address *backend, __be16 port,
					     struct address *frontend, __be16 *frontend_port)
{
	struct socket_flows *flows = bpf_sk_storage_get(&socket_flows, socket, NULL, 0);
	bool found = false;
	__u32 step;

	if (!flows)
		return false;
	bpf_spin_lock(&flows->lock);
	for (step = 0; step < SOCKET_FLOWS; step++) {
		const struct socket_peer *flow = &flows->flow[(flows->newest + step) % SOCKET_FLOWS];

		if (!is_backend(flow, backend, port))
			continue;
		*frontend = flow->frontend;
		*frontend_port = flow->frontend_port;
		found = true;
		break;
	}
	bpf_spin_unlock(&flows->lock);
	return found;
}
