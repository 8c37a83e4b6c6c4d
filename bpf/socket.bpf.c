// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* Services at the socket: a process of this node (of a pod or of the host) that connects to a service gets a backend at once, so its
 * packets need no translation. The reverse hooks show the service's address to the process. */
#include "net/socket_address.h"
#include "observe/trace.h"
#include "service/affinity.h"
#include "service/choose.h"
#include "service/host_requests.h"
#include "service/source_range.h"
#include "settings.h"
#include "socket/before.h"
#include "socket/memory.h"
#include "socket/outlived.h"
#include "socket/report.h"
#include "socket/requester.h"
#include <linux/errno.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define PROCEED 1
#define REFUSE 0

/* Whether a workload's datagram answers a request that a node sent from this port. (A datagram does not show whether it is an
 * answer; the packet path has seen the request.) */
static __always_inline bool is_answer_to_node(struct bpf_sock_addr *socket, const struct requester *requester,
					      const struct address *node, __be16 port)
{
	const struct connection *asked;
	struct tuple tuple = {
		.source = requester->address,
		.source_port = port_of(socket),
		.destination = *node,
		.destination_port = port,
		.protocol = IPPROTO_UDP,
	};

	if (requester->kind != REQUESTER_WORKLOAD || !tuple.source_port)
		return false;
	if (is_answer_to_host(&tuple))
		return true;
	asked = live_connection(&tuple);
	return asked && (asked->flags & CONNECTION_REPLY);
}

static __always_inline const struct service *service_of_socket(struct bpf_sock_addr *socket, const struct requester *requester,
							       const struct address *destination, __be16 port,
							       enum hook hook)
{
	const struct service *service;
	__u8 protocol = socket->protocol;
	__u32 location;

	/* Each network namespace has its own loopback. Only the node's loopback answers for services. */
	if (is_loopback(destination))
		return requester->kind == REQUESTER_HOST ? loopback_find(destination, port, protocol) : NULL;
	service = address_service_find(destination, port, protocol);
	if (service && !(service->flags & SERVICE_HOST_PORT))
		return service;
	if (!service) {
		location = location_flags(locate(destination));
		if (!has_node_ports(location))
			return NULL;
		service = node_port_find(destination, port, protocol);
		if (is_decided_there(service, location))
			return NULL;
	}
	if (service && hook == HOOK_SENDMSG && is_answer_to_node(socket, requester, destination, port))
		return NULL;
	return service;
}

/* Gives this call of the socket one of the service's backends. @param peer what it was given before, if anything
 * @return false: the service has none */
static __always_inline bool choose_peer(struct bpf_sock_addr *socket, const struct service *service,
					const struct requester *requester, enum hook hook, struct socket_peer *peer)
{
	enum reach reach = service->flags & SERVICE_INTERNAL_LOCAL ? REACH_LOCAL : REACH_ANY;
	const struct backend *backend = NULL;
	bool known;
	__u32 id = hook == HOOK_SENDMSG ? peer->backend : 0;

	if (hook == HOOK_SENDMSG && peer->port)
		return true;
	if (hook == HOOK_SENDMSG && id)
		backend = backend_within_reach(service, id, REACH_ANY); /* as packets: a traffic policy is for new flows */
	known = backend;
	if (!known)
		id = choose_backend(service, NULL, &requester->address, reach, &backend);
	trace_chosen(service, id, backend);
	if (!id || !backend || is_ipv4(&backend->address) != is_ipv4(&peer->frontend))
		return false;
	if (!known)
		count_socket(service, SERVICE_COUNT_CONNECTIONS);
	if (!known && affine_list(service))
		remember_affinity(affine_list(service), &requester->address, id);
	peer->backend = id;
	peer->address = backend->address;
	peer->port = backend->port;
	if (hook == HOOK_SENDMSG) {
		remember_flow(socket, peer);
		return true;
	}
	remember_peer(socket, peer);
	if (socket->protocol == IPPROTO_UDP)
		bpf_get_socket_cookie(socket); /* gives it one, for outlived_sockets */
	return true;
}

/* @param service that the socket asks for, or NULL */
static __always_inline int refuse(struct bpf_sock_addr *socket, struct socket_peer *peer, const struct service *service,
				  enum outcome reason, int error)
{
	*peer = (struct socket_peer){.frontend = peer->frontend, .frontend_port = peer->frontend_port};
	trace_socket_refused(reason);
	if (service)
		count_socket(service, reason);
	report_socket(EVENT_REFUSED, socket, reason, peer);
	bpf_set_retval(error);
	return REFUSE;
}

/* Replaces the service's address by a backend's. */
static __always_inline int translate_to_backend(struct bpf_sock_addr *socket, enum family family, enum hook hook)
{
	const struct settings *settings = settings_get();
	struct socket_peer peer = {.frontend_port = socket->user_port};
	__u8 protocol = socket->protocol;
	const struct service *service;
	struct requester requester;
	bool is_left;

	if ((protocol != IPPROTO_TCP && protocol != IPPROTO_UDP) || !read_address(socket, family, &peer.frontend))
		return PROCEED;
	if (!settings)
		return PROCEED;
	requester_of(socket, settings, &peer.frontend, &requester);
	is_left = is_left_to_packets(&requester, settings) && (hook != HOOK_SENDMSG || !recall(socket, &peer));
	service = is_left || !has_address(&requester)
			  ? NULL
			  : service_of_socket(socket, &requester, &peer.frontend, peer.frontend_port, hook);
	/* Of TCP only: getaddrinfo() connects UDP sockets to each address, at any port, and puts those last at which that fails (RFC 6724). A datagram is
	 * refused as a packet. */
	if (!service && hook == HOOK_CONNECT && !is_left && !is_left_to_host(settings) && is_cluster_address(&peer.frontend) &&
	    protocol == IPPROTO_TCP) {
		trace_socket(&peer.frontend, peer.frontend_port, protocol, port_of(socket), hook);
		return refuse(socket, &peer, NULL, OUTCOME_REJECT_NO_SERVICE, -ECONNREFUSED);
	}
	if (!service || !is_handled_here(service, settings)) {
		if (hook == HOOK_CONNECT)
			forget_peer(socket);
		else
			remember_plain(socket, &peer.frontend, peer.frontend_port);
		return PROCEED;
	}
	if (hook == HOOK_SENDMSG && !peer.backend && !recall(socket, &peer) &&
	    (is_connected_plainly(socket, family) || is_flow_of_packets(socket, &requester, &peer.frontend)))
		return PROCEED;
	trace_socket(&peer.frontend, peer.frontend_port, protocol, port_of(socket), hook);
	if (!may_use(service, &requester.address))
		return refuse(socket, &peer, service, OUTCOME_DROP_SOURCE_RANGE, -EPERM);
	if (!choose_peer(socket, service, &requester, hook, &peer))
		return refuse(socket, &peer, service, OUTCOME_REJECT_NO_BACKEND, -ECONNREFUSED);
	if (hook == HOOK_CONNECT)
		report_socket(EVENT_CONNECTED, socket, 0, &peer);
	write_address(socket, family, &peer.address, peer.port);
	return PROCEED;
}

/* Replaces the backend's address by the one that the program asked for. */
static __always_inline int translate_to_frontend(struct bpf_sock_addr *socket, enum family family, bool of_datagram)
{
	struct address peer;
	struct address frontend;
	__be16 port = socket->user_port;
	__be16 frontend_port;

	if (!read_address(socket, family, &peer))
		return PROCEED;
	if ((of_datagram && frontend_of_flow(socket->sk, &peer, port, &frontend, &frontend_port)) ||
	    frontend_of_peer(socket->sk, &peer, port, &frontend, &frontend_port))
		write_address(socket, family, &frontend, frontend_port);
	return PROCEED;
}

SEC("cgroup/connect4")
int connect4(struct bpf_sock_addr *socket)
{
	return translate_to_backend(socket, FAMILY_IPV4, HOOK_CONNECT);
}

SEC("cgroup/sendmsg4")
int sendmsg4(struct bpf_sock_addr *socket)
{
	return translate_to_backend(socket, FAMILY_IPV4, HOOK_SENDMSG);
}

SEC("cgroup/recvmsg4")
int recvmsg4(struct bpf_sock_addr *socket)
{
	return translate_to_frontend(socket, FAMILY_IPV4, true);
}

SEC("cgroup/getpeername4")
int getpeername4(struct bpf_sock_addr *socket)
{
	return translate_to_frontend(socket, FAMILY_IPV4, false);
}

SEC("cgroup/connect6")
int connect6(struct bpf_sock_addr *socket)
{
	return translate_to_backend(socket, FAMILY_IPV6, HOOK_CONNECT);
}

SEC("cgroup/sendmsg6")
int sendmsg6(struct bpf_sock_addr *socket)
{
	return translate_to_backend(socket, FAMILY_IPV6, HOOK_SENDMSG);
}

SEC("cgroup/recvmsg6")
int recvmsg6(struct bpf_sock_addr *socket)
{
	return translate_to_frontend(socket, FAMILY_IPV6, true);
}

SEC("cgroup/getpeername6")
int getpeername6(struct bpf_sock_addr *socket)
{
	return translate_to_frontend(socket, FAMILY_IPV6, false);
}

SEC("iter/bpf_sk_storage_map")
int outlived_sockets(struct bpf_iter__bpf_sk_storage_map *context)
{
	return tell_if_outlived(context);
}
