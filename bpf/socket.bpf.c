// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* Services at the socket: a process of this node (a pod's or the host's own) that connects to a service gets a
 * backend at once, so that its packets need no translation at all. The reverse hooks keep the illusion. */
#include "steps/choose.h"
#include <linux/errno.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define PROCEED 1
#define REFUSE 0

/* Session affinity needs a client; a socket has no address yet, but the network namespace of its pod or host. */
static __always_inline struct address client_of(struct bpf_sock_addr *socket)
{
	__u64 cookie = bpf_get_netns_cookie(socket);

	return (struct address){.word = {(__u32)(cookie >> 32), (__u32)cookie, 0, 0}};
}

static __always_inline struct socket_key socket_key_of(struct bpf_sock_addr *socket, const struct address *peer,
						       __be16 port)
{
	return (struct socket_key){
		.cookie = bpf_get_socket_cookie(socket),
		.backend = *peer,
		.port = port,
		.protocol = socket->protocol,
	};
}

/* The port it is bound to; 0: none yet. */
static __always_inline __be16 port_of(struct bpf_sock_addr *socket)
{
	return socket->sk ? bpf_htons(socket->sk->src_port) : 0;
}

/* A datagram of an unconnected socket is no new connection: only its refusal is told. */
static __always_inline void report_socket(enum event_kind kind, struct bpf_sock_addr *socket,
					  const struct address *frontend, __be16 port, const struct backend *backend,
					  __u32 id)
{
	struct event *event;

	if (!somebody_listens())
		return;
	event = report_reserve(kind, kind == EVENT_REFUSED ? REPORT_MOST_REFUSED : REPORT_MOST_OPENED);
	if (!event)
		return;
	event->packet.destination = *frontend;
	event->packet.destination_port = port;
	event->packet.source_port = port_of(socket);
	event->packet.protocol = socket->protocol;
	if (kind == EVENT_REFUSED)
		event->outcome = OUTCOME_REJECT_NO_BACKEND;
	if (backend) {
		event->backend = id;
		event->address = backend->address;
		event->port = backend->port;
	}
	event_submit(event);
}

/* From the service's address to a backend's. */
static __always_inline int translate_to_backend(struct bpf_sock_addr *socket, enum hook hook)
{
	struct address destination = address_from_ipv4(socket->user_ip4);
	struct address client = client_of(socket);
	const struct settings *settings = settings_get();
	__be16 port = socket->user_port;
	__u8 protocol = socket->protocol;
	const struct service *service;
	const struct backend *backend = NULL;
	struct socket_value frontend = {};
	struct socket_key key;
	enum reach reach;
	__u32 id;

	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
		return PROCEED;
	if (!settings || settings->service_handling == SERVICES_LEFT_TO_HOST)
		return PROCEED;
	service = service_find(&destination, port, protocol);
	if (!service)
		return PROCEED;
	trace_socket(&destination, port, protocol, port_of(socket), hook);
	reach = service->flags & SERVICE_INTERNAL_LOCAL ? REACH_LOCAL : REACH_ANY;
	id = choose_backend(service, &client, reach, &backend);
	trace_chosen(service, id, backend);
	if (!id || !backend) {
		report_socket(EVENT_REFUSED, socket, &destination, port, NULL, 0);
		bpf_set_retval(-ECONNREFUSED);
		return REFUSE;
	}
	key = socket_key_of(socket, &backend->address, backend->port);
	frontend.frontend = destination;
	frontend.port = port;
	bpf_map_update_elem(&sockets, &key, &frontend, BPF_ANY);
	if (hook == HOOK_CONNECT)
		report_socket(EVENT_CONNECTED, socket, &destination, port, backend, id);
	socket->user_ip4 = address_to_ipv4(&backend->address);
	socket->user_port = backend->port;
	return PROCEED;
}

/* From the backend's address back to the one the program asked for. */
static __always_inline int translate_to_frontend(struct bpf_sock_addr *socket)
{
	struct address peer = address_from_ipv4(socket->user_ip4);
	struct socket_key key = socket_key_of(socket, &peer, socket->user_port);
	const struct socket_value *frontend = bpf_map_lookup_elem(&sockets, &key);

	if (frontend) {
		socket->user_ip4 = address_to_ipv4(&frontend->frontend);
		socket->user_port = frontend->port;
	}
	return PROCEED;
}

SEC("cgroup/connect4")
int connect4(struct bpf_sock_addr *socket)
{
	return translate_to_backend(socket, HOOK_CONNECT);
}

SEC("cgroup/sendmsg4")
int sendmsg4(struct bpf_sock_addr *socket)
{
	return translate_to_backend(socket, HOOK_SENDMSG);
}

SEC("cgroup/recvmsg4")
int recvmsg4(struct bpf_sock_addr *socket)
{
	return translate_to_frontend(socket);
}

SEC("cgroup/getpeername4")
int getpeername4(struct bpf_sock_addr *socket)
{
	return translate_to_frontend(socket);
}
